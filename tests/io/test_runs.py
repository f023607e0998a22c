"""A run's checkpoint is reduced to known keys and types; none of it is run."""

from collections import Counter, OrderedDict
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer

from l2rkit.errors import WeightsError
from l2rkit.io.runs import read_run


def content() -> dict:
    hub = dict(
        log_scalars=OrderedDict({"train/loss": HistoryBuffer([1.0, 2.0], [1, 1])}),
        runtime_info=OrderedDict(iter=3, eta=1.5, skipped_steps=1, keep_ckpt_ids=[2, 4]),
        resumed_keys=OrderedDict({"train/loss": True, "iter": True}),
    )
    schedule = dict(last_step=4, milestones=Counter({3: 1}), base_values=[0.1])
    return dict(
        meta=dict(epoch=0, iter=4, seed=5, cfg="a = 1", dataset_meta={}, time="now"),
        state_dict=OrderedDict(a=torch.ones(2)),
        optimizer=dict(state={0: dict(step=torch.ones(()))}, param_groups=[dict(lr=0.1)]),
        param_schedulers=[schedule],
        message_hub=hub,
    )


def written(folder: Path, made: dict) -> Path:
    torch.save(made, folder / "iter_4.pth")
    return folder / "iter_4.pth"


def test_what_a_run_needs_comes_through(tmp_path: Path) -> None:
    made = content()
    read = read_run(written(tmp_path, made))
    assert read["meta"] == made["meta"] and read["param_schedulers"] == made["param_schedulers"]
    assert isinstance(read["param_schedulers"][0]["milestones"], Counter)
    assert read["optimizer"] == made["optimizer"]
    assert torch.equal(read["state_dict"]["a"], torch.ones(2))
    assert read["message_hub"]["runtime_info"] == made["message_hub"]["runtime_info"]
    assert read["message_hub"]["log_scalars"]["train/loss"].data[0].tolist() == [1.0, 2.0]


def test_no_config_reaches_the_runner(tmp_path: Path) -> None:
    made = content()
    made["meta"]["config"] = "open('canary', 'w')"
    made["message_hub"]["runtime_info"]["cfg"] = "open('canary', 'w')"
    made["surplus"] = {"config": "open('canary', 'w')"}
    read = read_run(written(tmp_path, made))
    assert "canary" not in str(read)


def test_files_that_a_checkpoint_names_are_none_but_its_neighbours(tmp_path: Path) -> None:
    """MMEngine removes the best checkpoint before, be it a file or a whole folder."""
    made = content()
    info = made["message_hub"]["runtime_info"]
    info.update(best_ckpt="/home/me/best.pth", best_ckpt_side="/home/me", last_ckpt="../x.pth")
    info.update(keep_ckpt_ids=["/../../x", 4])
    kept = read_run(written(tmp_path, made))["message_hub"]["runtime_info"]
    assert kept["best_ckpt"] == str(tmp_path / "best.pth")
    assert kept["last_ckpt"] == str(tmp_path / "x.pth")
    assert "best_ckpt_side" not in kept and "keep_ckpt_ids" not in kept


WRONG = {
    "meta.iter": lambda made: made["meta"].update(iter="4"),
    "meta.epoch": lambda made: made["meta"].update(epoch=True),
    "meta.cfg": lambda made: made["meta"].update(cfg=3),
    "state_dict.a": lambda made: made["state_dict"].update(a=[1]),
    "optimizer": lambda made: made.update(optimizer=3),
    "optimizer.lr": lambda made: made["optimizer"].update(lr=HistoryBuffer([1.0], [1])),
    "param_schedulers": lambda made: made.update(param_schedulers="x"),
    "message_hub.log_scalars": lambda made: made["message_hub"].update(log_scalars=[]),
}


@pytest.mark.parametrize("where", WRONG)
def test_a_value_of_a_wrong_type_is_one_line(where: str, tmp_path: Path) -> None:
    made = content()
    WRONG[where](made)
    with pytest.raises(WeightsError, match=rf"iter_4\.pth was refused: '{where}' is of") as error:
        read_run(written(tmp_path, made))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["message_hub", "optimizer", "state_dict"])
def test_weights_alone_are_no_run(key: str, tmp_path: Path) -> None:
    made = content()
    del made[key]
    with pytest.raises(WeightsError, match=f"not the checkpoint of a run: it has no '{key}'"):
        read_run(written(tmp_path, made))
