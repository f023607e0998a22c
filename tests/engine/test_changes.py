"""Changes of configs are found in MMEngine's text, which is not run."""

from pathlib import Path

from mmengine.config import Config

from l2rkit.config import load_config
from l2rkit.engine.changes import as_text, changes, from_checkpoint

CONFIG = Path(__file__).parents[2] / "configs/unsup3d/unsup3d_heads_32.py"


def test_only_what_differs_is_found() -> None:
    was, now = load_config(CONFIG), load_config(CONFIG)
    assert changes(was.pretty_text, now.pretty_text) == {}
    now.train_cfg.max_iters = 7
    now.work_dir, now.resume = "elsewhere", True
    now.train_loader.num_workers = 5  # a variable; the loader itself counts
    now.test_dataloader.batch_size = 3
    now.train_dataloader.dataset.size = 99
    found = changes(was.pretty_text, now.pretty_text)
    size, steps = was.train_dataloader.dataset.size, was.train_cfg.max_iters
    assert found == {
        "train_cfg.max_iters": (steps, 7),
        "train_dataloader.dataset.size": (size, 99),
    }
    assert f"train_cfg.max_iters {steps} -> 7" in as_text(found)


def test_odd_keys_lists_and_what_only_one_has() -> None:
    was = Config(dict(hooks=[dict(at={0: [1], 3: None})], a=(1, 2), b=-1.5))
    now = Config(dict(hooks=[dict(at={0: [2], 3: None}), dict(x=1)], a=(1, 2), b=-1.5))
    found = changes(was.pretty_text, now.pretty_text)
    assert found == {"hooks.0.at.0": ([1], [2]), "hooks.1.x": (None, 1)}


def test_a_text_is_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    assert changes(f"a = open({str(canary)!r}, 'w')", "a = 1") == {
        "a": (f"open({str(canary)!r}, 'w')", 1)
    }
    assert changes("no (python", "a = 1") == {"a": (None, 1)} and not canary.exists()


def test_what_the_checkpoint_decides_on() -> None:
    fixed = ["optim_wrapper.optimizer.lr", "optim_wrapper.others.optimizer.betas"]
    fixed += ["optim_wrapper.others.paramwise_cfg.custom_keys.x.lr_mult", "param_scheduler.0.gamma"]
    fixed += ["auto_scale_lr.enable", "auto_scale_lr.base_batch_size"]  # rates are in the optimizer
    assert all(map(from_checkpoint, fixed))
    free = ["optim_wrapper.clip_grad.max_norm", "train_cfg.max_iters", "model.optimizers"]
    assert not any(map(from_checkpoint, free))
