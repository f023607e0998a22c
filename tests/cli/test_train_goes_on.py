"""`l2rkit train --resume` and `load_from` load what fits and refuse the rest in one line."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from test_train import TRAINING

from l2rkit.cli import main
from l2rkit.cli.starting import alone_in
from l2rkit.errors import UserError
from l2rkit.io.weights import read_weights
from l2rkit.zoo import zoo_file


@pytest.fixture
def training(config: Path) -> Path:
    config.write_text(config.read_text() + TRAINING)
    return config


def run(config: Path, work_dir: Path, *changes: str, resume: bool = False) -> Result:
    options = [word for change in changes for word in ("--cfg-options", change)]
    words = ["train", str(config), "--work-dir", str(work_dir), *["--resume"] * resume, *options]
    return CliRunner().invoke(main, words)


def error_of(result: Result) -> str:
    """The one line of a command that could not begin."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), "no traceback"
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.fixture(scope="session")
def broken_once(text: str, heads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "tiny.py").write_text(text.replace("ROOT", str(heads)) + TRAINING)
    done = run(folder / "tiny.py", folder / "run", "train_cfg.max_iters=2")
    assert done.exit_code == 0, done.output
    return folder / "run"


@pytest.fixture
def broken(broken_once: Path, tmp_path: Path) -> Path:
    """The work dir of a run that ended at step 2 of 4."""
    return Path(shutil.copytree(broken_once, tmp_path / "run"))


def rewritten(path: Path, change: Callable[[dict], object]) -> None:
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(deepcopy(content), path)  # logs read from files become MMEngine's by a copy


def test_the_config_in_a_checkpoint_is_not_run(training: Path, broken: Path) -> None:
    canary = broken / "canary"
    order = f"open({str(canary)!r}, 'w')"

    def poison(content: dict) -> None:
        content["meta"]["config"] = order
        content["message_hub"]["runtime_info"].update(best_ckpt=str(broken / "panels"), cfg=order)

    rewritten(broken / "iter_2.pth", poison)
    best = ("default_hooks.checkpoint.save_best=side", "default_hooks.checkpoint.rule=less")
    done = run(training, broken, *best, resume=True)
    assert done.exit_code == 0, done.output
    assert (broken / "iter_4.pth").exists() and not canary.exists()
    assert (broken / "panels").is_dir(), "it was called the best checkpoint before"


def test_a_checkpoint_of_another_width_is_one_line(training: Path, broken: Path) -> None:
    said = error_of(run(training, broken, "model.decompose.width=8", resume=True))
    assert "iter_2.pth is of another architecture: 'decompose.depth" in said


@pytest.mark.parametrize("resume", [True, False])
def test_a_weight_that_is_missing_is_one_line(training: Path, broken: Path, resume: bool) -> None:
    path = broken / "iter_2.pth"
    name = next(iter(read_weights(path)))
    rewritten(path, lambda content: content["state_dict"].pop(name))
    begin = [] if resume else [f"load_from={path}"]
    said = error_of(run(training, broken if resume else broken / "new", *begin, resume=resume))
    assert f"it lacks '{name}' (1 missing, 0 left over" in said


def test_weights_of_another_method_are_one_line(training: Path, tmp_path: Path) -> None:
    said = error_of(run(training, tmp_path / "new", "load_from=zoo://face_restorer"))
    assert "face_restorer.safetensors is of another architecture: it lacks 'decompose." in said
    assert not (tmp_path / "new").exists(), "nothing has begun"
    said = error_of(run(training, tmp_path / "new", "load_from=https://example.org/a.pth"))
    assert "load_from takes a file or zoo://NAME" in said


def test_a_part_is_loaded_alone_when_asked_for_and_the_rest_is_said(
    training: Path, broken: Path, tmp_path: Path
) -> None:
    path = broken / "iter_2.pth"
    rewritten(
        path, lambda content: content["state_dict"].update({"refine.x.weight": torch.ones(2)})
    )
    begin = (f"load_from={path}", "optim_wrapper.optimizer.lr=0.0", "train_cfg.max_iters=2")
    assert "'refine.x.weight' (0 missing, 1 left over" in error_of(
        run(training, tmp_path / "new", *begin)
    )
    other = "randomness.seed=1"  # so that what begins anew begins otherwise
    done = run(training, tmp_path / "new", *begin, "load_only=decompose.depth", other)
    assert done.exit_code == 0, done.output
    (log,) = (tmp_path / "new").glob("*/*.log")
    assert "newly initialized: decompose (" in log.read_text()
    assert "not loaded: decompose (" in log.read_text()
    assert "refine (1)" in log.read_text()
    was, got = read_weights(path), read_weights(tmp_path / "new" / "iter_2.pth")
    assert all(
        torch.equal(was[k], got[k]) == k.startswith("decompose.depth.")
        for k in got
        if k.endswith("network.0.weight")
    )
    said = error_of(run(training, tmp_path / "other", *begin, "load_only=decompose.deep"))
    assert "no part 'decompose.deep': did you mean 'decompose.depth'?" in said


def test_weights_of_a_wrapped_model_are_its_own(
    training: Path, broken: Path, tmp_path: Path
) -> None:
    path = broken / "iter_2.pth"
    expected = read_weights(path)
    for prefix in ("module.", "_orig_mod.", "module._orig_mod."):
        state = {prefix + key: value for key, value in expected.items()}
        rewritten(path, lambda content, state=state: content.update(state_dict=state))
        got = read_weights(path)
        assert got.keys() == expected.keys() and all(
            torch.equal(got[k], expected[k]) for k in expected
        )
    # now with both before the names
    started = run(training, tmp_path / "new", f"load_from={path}", "train_cfg.max_iters=1")
    assert started.exit_code == 0, started.output
    done = run(training, broken, resume=True)
    assert done.exit_code == 0, done.output


def test_averages_have_to_fit_and_go_on(training: Path, tmp_path: Path) -> None:
    with training.open("a") as file:
        file.write("from mmengine.hooks import EMAHook\n")
        file.write("custom_hooks = [*custom_hooks, dict(type=EMAHook, momentum=0.1)]\n")
    for name, steps in (("whole", 4), ("broken", 2)):
        assert run(training, tmp_path / name, f"train_cfg.max_iters={steps}").exit_code == 0
    path = tmp_path / "broken" / "iter_2.pth"
    whole = torch.load(path, weights_only=True)
    name = next(key for key in whole["ema_state_dict"] if key != "steps")
    rewritten(path, lambda content: content["ema_state_dict"].pop(name))
    said = error_of(run(training, tmp_path / "broken", resume=True))
    assert f"{path} (its averages) is of another architecture: it lacks" in said
    torch.save(deepcopy(whole), path)
    assert run(training, tmp_path / "broken", resume=True).exit_code == 0
    expected, got = (
        torch.load(tmp_path / name / "iter_4.pth", weights_only=True)
        for name in ("whole", "broken")
    )
    for key in ("state_dict", "ema_state_dict"):
        assert all(torch.equal(expected[key][k], got[key][k]) for k in expected[key])


def test_what_the_checkpoint_decides_on_cannot_change(training: Path, broken: Path) -> None:
    said = error_of(run(training, broken, "optim_wrapper.optimizer.lr=0.1", resume=True))
    assert "optim_wrapper.optimizer.lr 0.001 -> 0.1; change it back" in said
    with training.open("a") as file:
        file.write("from mmengine.optim import MultiStepLR\n")
        file.write("param_scheduler = [dict(type=MultiStepLR, milestones=[3], by_epoch=False)]\n")
    assert "param_scheduler.0.milestones None -> [3]" in error_of(
        run(training, broken, resume=True)
    )


def test_what_changes_is_said(training: Path, broken: Path) -> None:
    changed = ("train_dataloader.batch_size=2", "train_cfg.val_interval=3")
    done = run(training, broken, *changed, "train_dataloader.dataset.size=6", resume=True)
    assert done.exit_code == 0, done.output
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("changed since iter_2.pth")]
    for words in ("batch_size 4 -> 2", "val_interval 4 -> 3", "max_iters 2 -> 4", "size 8 -> 6"):
        assert words in line
    logs = " ".join(path.read_text() for path in broken.glob("*/*.log"))
    assert "no more the same run, from here on: photos 8 -> 6" in logs


def test_another_number_of_processes_is_said(training: Path, broken: Path) -> None:
    rewritten(broken / "iter_2.pth", lambda content: content["meta"]["made_by"].update(processes=2))
    assert run(training, broken, resume=True).exit_code == 0
    logs = " ".join(path.read_text() for path in broken.glob("*/*.log"))
    assert "no more the same run, from here on: processes 2 -> 1" in logs


def test_a_run_that_is_done_says_so(training: Path, broken: Path) -> None:
    before = sorted(broken.iterdir())
    for steps in (1, 2):
        done = run(training, broken, f"train_cfg.max_iters={steps}", resume=True)
        assert done.exit_code == 0
        assert f"iter_2.pth is already at step 2 of {steps}" in done.stdout
    assert sorted(broken.iterdir()) == before


def test_a_work_dir_is_for_one_training_at_a_time(training: Path, tmp_path: Path) -> None:
    work_dir = tmp_path / "run"
    hold = "from l2rkit.cli.starting import alone_in\nimport sys\n"
    hold += "with alone_in(sys.argv[1]):\n    print('in', flush=True)\n    sys.stdin.read()\n"
    command = [sys.executable, "-c", hold, str(work_dir)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "in\n"
        said = error_of(run(training, work_dir))
        assert f"another training runs in {work_dir}" in said
        other.kill()  # the lock goes with it
    with alone_in(str(work_dir)), pytest.raises(UserError), alone_in(str(work_dir)):
        pass
    with alone_in(str(work_dir)):  # nor is it kept
        pass


def test_shipped_weights_with_one_missing_are_refused(training: Path, tmp_path: Path) -> None:
    """The same strictness as that of `--weights`, for what is shipped, too."""
    from l2rkit.io.weights import write_weights

    state = read_weights(zoo_file("unsup3d_heads_32.safetensors"))
    state.pop(next(iter(state)))
    write_weights(state, tmp_path / "cut.safetensors")
    config = Path(__file__).parents[2] / "configs/unsup3d/unsup3d_heads_32.py"
    said = error_of(run(config, tmp_path / "new", f"load_from={tmp_path / 'cut.safetensors'}"))
    assert "(1 missing, 0 left over" in said


def test_a_new_training_overwrites_no_checkpoints(training: Path, broken: Path) -> None:
    before = (broken / "iter_2.pth").read_bytes()
    line = error_of(run(training, broken))
    assert f"{broken} has iter_2.pth of an earlier training" in line
    assert "--resume" in line and "--work-dir" in line
    assert (broken / "iter_2.pth").read_bytes() == before
    other = broken.with_name("other")
    from_there = ["train", str(training), "--work-dir", str(other)]
    from_there += ["--resume", str(broken / "iter_2.pth")]
    assert CliRunner().invoke(main, from_there).exit_code == 0
    whole = (other / "iter_4.pth").read_bytes()
    assert "iter_4.pth of an earlier training" in error_of(CliRunner().invoke(main, from_there))
    assert (other / "iter_4.pth").read_bytes() == whole


def test_a_resume_before_the_latest_checkpoint_says_what_it_overwrites(
    training: Path, broken: Path
) -> None:
    first = (broken / "iter_2.pth").read_bytes()
    assert run(training, broken, resume=True).exit_code == 0
    (broken / "iter_2.pth").write_bytes(first)
    words = ["train", str(training), "--work-dir", str(broken)]
    again = CliRunner().invoke(main, [*words, "--resume", str(broken / "iter_2.pth")])
    assert again.exit_code == 0, again.output
    assert "from iter_2.pth on, these are overwritten: iter_4.pth" in again.stderr
