"""`l2rkit train --chain` first trains the configs that a config starts from."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner
from fresh import python

from l2rkit.cli import chain
from l2rkit.cli.chain import missing_stages
from l2rkit.cli.train import train
from l2rkit.config import load_config
from l2rkit.errors import ConfigError
from l2rkit.io.weights import read_weights

ROOT = Path(__file__).parents[2]
TRAINING = """
from l2rkit.engine import AtomicCheckpoint
from l2rkit.losses import Photometric
from mmengine.dataset import InfiniteSampler
from mmengine.optim import OptimWrapper
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

model.update(losses=dict(photometric=dict(type=Photometric)))
train_dataloader = dict(**test_dataloader)
train_dataloader.update(sampler=dict(type=InfiniteSampler, shuffle=True))
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=Adam, lr=1e-3))
default_hooks = dict(checkpoint=dict(type=AtomicCheckpoint, by_epoch=False, interval=9))
randomness = dict(seed=0)
train_cfg = dict(type=IterBasedTrainLoop, max_iters={steps})
"""
CONFIGS = [path for path in ROOT.glob("configs/*/*.py") if "_base_" not in str(path)]


@pytest.fixture
def stages(config: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three configs, each of which begins with the one before."""
    monkeypatch.chdir(config.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    text = config.read_text()
    made = []
    for name, steps, start in (
        ("one", 2, None),
        ("two", 9, "one/iter_2"),
        ("three", 1, "two/iter_1"),
    ):
        path = config.with_name(f"{name}.py")
        load_from = f"load_from = 'work_dirs/{start}.pth'\n" if start else ""
        path.write_text(text + TRAINING.format(steps=steps) + load_from)
        made.append(path)
    return made


def test_a_chain_trains_what_is_missing_and_only_that(
    stages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = stages
    refused = CliRunner().invoke(train, [str(three)])
    assert refused.exit_code == 2
    (line,) = refused.stderr.strip().splitlines()
    assert "two/iter_1.pth, which is not there" in line and line.endswith("with --chain")
    assert line.index(f"train {one}") < line.index(f"train {two}")
    assert "--cfg-options train_cfg.max_iters=1" in line, (
        "the second stage is not trained to its end"
    )

    commands: list[list[str]] = []

    ordinary = subprocess.run

    def run(command: list[str], **options: object) -> CompletedProcess:
        if command[:1] != [sys.executable]:  # what MMEngine asks of compilers
            return ordinary(command, **options)
        commands.append(command[:3])
        return python(*command[1:])

    monkeypatch.setattr(chain.subprocess, "run", run)
    done = CliRunner().invoke(train, ["three.py", "--chain"])
    assert done.exit_code == 0, done.output
    assert commands == [[sys.executable, "-m", "l2rkit"]] * 2, "each in a process of its own"
    reported = [line for line in done.stderr.splitlines() if " of 3: " in line]
    assert [line.rpartition("/")[2] for line in reported] == ["one.py", "two.py"]
    found = [Path("work_dirs", *place) for place in (("one", "iter_2.pth"), ("two", "iter_1.pth"))]
    assert all(path.is_file() for path in found) and Path("work_dirs/three/iter_1.pth").is_file()

    was = read_weights(found[0])
    found[1].unlink()
    Path("work_dirs/two/last_checkpoint").unlink()
    assert [s.config.name for s in missing_stages(load_config(three))] == ["two.py"]
    assert read_weights(found[0]).keys() == was.keys()
    with_launcher = CliRunner().invoke(train, [str(three), "--chain", "--launcher", "pytorch"])
    assert with_launcher.exit_code == 2 and "train each by itself" in with_launcher.stderr


def test_a_training_beyond_what_is_needed_is_not_resumed_in_vain(stages: list[Path]) -> None:
    """Before, its stage ended with nothing to do, again and again."""
    folder = Path("work_dirs/one")
    folder.mkdir(parents=True)
    (folder / "iter_4.pth").touch()
    for words in ([], ["--chain"]):
        refused = CliRunner().invoke(train, [str(stages[1]), *words])
        (line,) = refused.stderr.strip().splitlines()
        assert refused.exit_code == 2 and "one/iter_2.pth is not there, and" in line
        assert "gone on to iter_4.pth: begin with that, or move" in line


def test_teachers_are_trained_before_too(stages: list[Path]) -> None:
    one, two, three = stages
    four = three.with_name("four.py")
    teaching = f"""
from l2rkit.losses import Distillation
teachers = {{{str(two)!r}: "work_dirs/two/iter_1.pth", {str(one)!r}: "unsup3d_heads_32"}}
model["losses"]["teacher"] = dict(type=Distillation, teachers=teachers)
"""
    four.write_text(one.read_text() + teaching + "load_from = 'work_dirs/one/iter_2.pth'\n")
    found = missing_stages(load_config(four))
    assert [stage.config.name for stage in found] == ["one.py", "two.py"]  # each once
    refused = CliRunner().invoke(train, [str(four)])
    (line,) = refused.stderr.strip().splitlines()
    assert refused.exit_code == 2 and "two/iter_1.pth, which is not there" in line
    start = Path("work_dirs/one/iter_2.pth")
    start.parent.mkdir(parents=True)
    start.touch()
    assert [s.config.name for s in missing_stages(load_config(four))] == ["two.py"]
    assert CliRunner().invoke(train, [str(four)]).exit_code == 2
    two.write_text(two.read_text().replace("one/iter_2", "two/iter_1"))
    with pytest.raises(ConfigError, match=r"two\.py begins with what it makes itself"):
        missing_stages(load_config(four))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_shipped_configs_begin_with_can_be_had(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is shipped, or a checkpoint that the training of another shipped config writes."""
    monkeypatch.chdir(tmp_path)
    for stage in missing_stages(load_config(path)):
        assert (ROOT / stage.config).is_file() and stage.config.parts[0] == "configs"
        steps = int(stage.checkpoint.stem.removeprefix("iter_"))
        last = load_config(stage.config).train_cfg.max_iters
        assert steps < last if stage.ends_early else steps == last


def test_seed_and_precision_hold_for_the_whole_chain(stages: list[Path], monkeypatch) -> None:
    """Before, the first stages took other seeds, without a word."""
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr("l2rkit.cli.train.train_first", lambda stages, words: given.append(words))
    CliRunner().invoke(train, [str(stages[1]), "--chain", "--seed", "7", "--amp"])
    CliRunner().invoke(train, [str(stages[1]), "--chain", "--amp=float16"])  # needs a GPU
    CliRunner().invoke(train, [str(stages[1]), "--chain"])
    assert given == [["--seed=7", "--amp=bfloat16"], []]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no SIGTERM to others")
def test_a_terminated_chain_ends_its_stage(tmp_path: Path) -> None:
    """Before, the process of the stage went on alone."""
    (tmp_path / "l2rkit_stage.py").write_text("import time; open('began', 'w'); time.sleep(60)")
    code = """
import os, subprocess, sys
from pathlib import Path
from l2rkit.cli import chain
ordinary = subprocess.Popen
chain.subprocess.Popen = lambda words, **o: ordinary([sys.executable, "l2rkit_stage.py"], **o)
chain.train_first([chain.Stage(Path("a.py"), Path("iter_1.pth"), False)])
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ, PYTHONPATH=str(ROOT))
    )
    while not (tmp_path / "began").exists():
        assert parent.poll() is None
        time.sleep(0.05)
    (child,) = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    parent.terminate()
    assert parent.wait(30) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{child}").exists()
