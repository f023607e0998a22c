"""`l2rkit train`: a short run, its panels, a resume, and missing data."""

import errno
import os
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from mmengine.dataset import InfiniteSampler
from PIL import Image
from torch.utils.data import DataLoader

from l2rkit.cli.train import train
from l2rkit.engine.runner import check_batches
from l2rkit.errors import ConfigError
from l2rkit.io.weights import read_weights

TRAINING = """
from l2rkit.losses import CycleConsistency, ShiftEquivariance, Photometric
from l2rkit.engine.schedule import Schedule
from l2rkit.viz import PanelHook
from l2rkit.engine import CollapseMonitor, SkipNonFiniteSteps, GuardedOptimWrapper
from l2rkit.engine import StepSeed, AtomicCheckpoint
from mmengine.dataset import InfiniteSampler

from mmengine.runner import IterBasedTrainLoop, ValLoop
from torch.optim import Adam

model.update(losses=dict(
    photometric=dict(type=Photometric),
    cycle=dict(type=CycleConsistency, share=0.5),  # both draw at each step
    moved=dict(type=ShiftEquivariance, share=0.5),
))
val_dataloader = dict(**test_dataloader)
val_evaluator = dict(type=DepthErrors)
train_dataloader = dict(**test_dataloader)
train_dataloader.update(sampler=dict(type=InfiniteSampler, shuffle=True))
optim_wrapper = dict(type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=1e-3))
default_hooks = dict(
    checkpoint=dict(type=AtomicCheckpoint, by_epoch=False, interval=2, max_keep_ckpts=1),
    draws=dict(type=StepSeed),
    finite=dict(type=SkipNonFiniteSteps),
    collapse=dict(type=CollapseMonitor, interval=2),
)
custom_hooks = [
    dict(type=PanelHook, interval=2, photos=3),
    dict(type=Schedule, changes={"losses.photometric.scale": {0: 0.15, 3: None}}),
]
randomness = dict(seed=0)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=4, val_interval=4)
val_cfg = dict(type=ValLoop)
"""


@pytest.fixture
def training(config: Path) -> Path:
    config.write_text(config.read_text() + TRAINING)
    return config


def run(config: Path, work_dir: Path, *words: str) -> Result:
    return CliRunner().invoke(train, [str(config), "--work-dir", str(work_dir), *words])


def test_a_resumed_run_ends_where_an_unbroken_one_does(training: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    keep = ("--cfg-options", "default_hooks.checkpoint.max_keep_ckpts=9")
    assert run(training, whole, *keep).exit_code == 0
    first = run(training, broken, "--cfg-options", "train_cfg.max_iters=2")
    assert first.exit_code == 0, first.output
    # where a run began does not matter any more once it is resumed
    second = run(training, broken, "--resume", "--cfg-options", "load_from=nowhere.pth")
    assert second.exit_code == 0, second.output
    expected, got = (read_weights(folder / "iter_4.pth") for folder in (whole, broken))
    assert expected.keys() == got.keys()
    before = read_weights(whole / "iter_2.pth")
    assert any(not torch.equal(expected[key], before[key]) for key in expected)
    assert all(torch.equal(expected[key], got[key]) for key in expected)
    picture = Image.open(whole / "panels" / "0000004.png")
    assert picture.width == 8 * 128 and picture.height == 3 * 128 + 16


def test_a_torn_checkpoint_gives_way_to_the_one_before(training: Path, tmp_path: Path) -> None:
    training.write_text(training.read_text().replace("max_keep_ckpts=1", "max_keep_ckpts=2"))
    assert run(training, tmp_path).exit_code == 0
    whole, last = read_weights(tmp_path / "iter_4.pth"), tmp_path / "iter_4.pth"
    last.write_bytes(last.read_bytes()[:5000])
    done = run(training, tmp_path, "--resume")
    assert done.exit_code == 0, done.output
    said = "iter_4.pth is incomplete (File is not a zip file): resuming from iter_2.pth"
    assert said in done.stderr.splitlines()
    again = read_weights(last)
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_a_full_disk_is_one_line_and_costs_no_checkpoint(
    training: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def full_at_last(file: int) -> None:
        written.append(file)
        if len(written) > 2:  # a file and its folder
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_last)
    done = run(training, tmp_path / "run")
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.stderr.strip().endswith(line)
    assert "No space left on device; make room and go on with --resume" in line
    assert [p.name for p in (tmp_path / "run").glob("*.pth*")] == ["iter_2.pth"]
    monkeypatch.undo()
    (tmp_path / "run" / "iter_4.pth.part").write_bytes(b"of a run that was killed")
    done = run(training, tmp_path / "run", "--resume")
    assert done.exit_code == 0, done.output
    assert [p.name for p in (tmp_path / "run").glob("*.pth*")] == ["iter_4.pth"]


def test_files_that_may_not_grow_cost_no_checkpoint(training: Path, tmp_path: Path) -> None:
    """The operating system's own word, to a run that goes on from a checkpoint."""
    resource = pytest.importorskip("resource", reason="limits are POSIX")
    broken = tmp_path / "broken"
    assert run(training, broken, "--cfg-options", "train_cfg.max_iters=2").exit_code == 0
    before = (broken / "iter_2.pth").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        done = run(training, broken, "--resume")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.exit_code == 2, done.output
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "make room and go on with --resume" in errors[0]
    assert [path.name for path in broken.glob("*.pth*")] == ["iter_2.pth"]
    assert (broken / "iter_2.pth").read_bytes() == before


def test_a_resumed_run_keeps_its_seed(training: Path, tmp_path: Path) -> None:
    short = ("--cfg-options", "train_cfg.max_iters=2")
    assert run(training, tmp_path / "whole", "--seed", "5").exit_code == 0
    assert run(training, tmp_path / "broken", "--seed", "5", *short).exit_code == 0
    refused = run(training, tmp_path / "broken", "--seed", "6", "--resume")
    assert refused.exit_code == 2 and "has seed 5, and keeps it" in refused.stderr
    assert run(training, tmp_path / "broken", "--resume").exit_code == 0
    one, other = (read_weights(tmp_path / name / "iter_4.pth") for name in ("whole", "broken"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_before_the_first_checkpoint_resuming_is_beginning(training: Path, tmp_path: Path) -> None:
    short = ("--cfg-options", "train_cfg.max_iters=2")
    assert run(training, tmp_path / "before", *short).exit_code == 0
    begin = ("--cfg-options", f"load_from={tmp_path / 'before' / 'iter_2.pth'}")
    for name, words in (("new", ()), ("resumed", ("--resume",))):
        done = run(training, tmp_path / name, *begin, *short, *words)
        assert done.exit_code == 0, done.output
    one, other = (read_weights(tmp_path / name / "iter_2.pth") for name in ("new", "resumed"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    was = read_weights(tmp_path / "before" / "iter_2.pth")
    assert any(not torch.equal(one[key], was[key]) for key in one), "it has trained on"


def test_missing_data_is_the_first_and_only_line(tmp_path: Path) -> None:
    celeba = Path(__file__).parents[2] / "configs/unsup3d/unsup3d_celeba.py"
    option = f"train_dataloader.dataset.data_root={tmp_path / 'none'}"
    result = run(celeba, tmp_path / "work", "--cfg-options", option)
    assert result.exit_code == 2
    (line,) = result.output.strip().splitlines()
    assert "CelebA" in line and "tools/dataset_converters/celeba.py" in line


def test_a_start_that_is_not_there_is_one_line(training: Path, tmp_path: Path) -> None:
    result = run(training, tmp_path / "run", "--cfg-options", "load_from=no.pth")
    assert result.exit_code == 2 and "goes on from no.pth, which is not there" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and not (tmp_path / "run").exists()


def test_half_precision_and_channels_last(training: Path, tmp_path: Path, monkeypatch) -> None:
    training.write_text(
        training.read_text()
        + "\nfrom l2rkit.engine import ChannelsLast\ncustom_hooks += [dict(type=ChannelsLast)]\n"
    )
    asked = []

    def refused(kind: torch.dtype) -> bool:
        asked.append(kind)
        return False

    monkeypatch.setattr("l2rkit.ops.precision.cpu_computes_in", refused)
    done = run(training, tmp_path / "half", "--amp")
    assert done.exit_code == 0, done.output
    assert "does not compute in bfloat16, so float32 is used" in done.output
    assert set(asked) == {torch.bfloat16} and len(asked) > 1  # of the command and of steps
    assert "precision='bfloat16'" in next((tmp_path / "half").glob("*.py")).read_text()
    weights = read_weights(tmp_path / "half" / "iter_4.pth")
    convolutions = [value for value in weights.values() if value.dim() == 4 and value.shape[1] > 1]
    assert all(value.dtype == torch.float32 for value in weights.values())
    last = [value.is_contiguous(memory_format=torch.channels_last) for value in convolutions]
    assert sum(last) == len(last)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_float16_without_a_gpu_is_refused(training: Path, tmp_path: Path) -> None:
    done = run(training, tmp_path / "half", "--amp=float16")
    assert done.exit_code == 2
    assert "float16 needs a GPU" in done.output


def test_without_workers_their_settings_do_not_count(training: Path, tmp_path: Path) -> None:
    """The shipped configs' loaders keep their workers, of which there may be none."""
    training.write_text(
        training.read_text()
        + "train_dataloader.update(persistent_workers=True, prefetch_factor=2, num_workers=0)\n"
    )
    done = run(training, tmp_path / "none", "--cfg-options", "train_cfg.max_iters=1")
    assert done.exit_code == 0, done.output


def test_a_sampler_without_a_whole_batch_is_one_line(training: Path, tmp_path: Path) -> None:
    training.write_text(
        training.read_text()
        + "\nfrom l2rkit.data import PersonSampler\ntrain_dataloader.update("
        + "drop_last=True, batch_size=8, sampler=dict(type=PersonSampler, photos=1))\n"
    )
    done = run(training, tmp_path / "few")
    assert done.exit_code == 2, done.output
    said = done.stderr.strip().splitlines()[-1]
    assert "PersonSampler gives each process" in said and "fewer than a batch of 8" in said


def test_a_seed_keeps_what_else_the_config_says_of_randomness(training: Path, tmp_path) -> None:
    training.write_text(training.read_text() + "randomness.update(deterministic=True)\n")
    words = ("--seed", "5", "--cfg-options", "train_cfg.max_iters=1")
    assert run(training, tmp_path / "kept", *words).exit_code == 0
    said = next((tmp_path / "kept").glob("*.py")).read_text()
    assert "deterministic=True" in said and "seed=5" in said


def test_batches_of_ones_own_need_no_length_and_no_photos_are_one_line() -> None:
    check_batches(DataLoader([1.0], batch_sampler=iter([[0]])))
    with pytest.raises(ConfigError, match="list has no photo"):
        check_batches(DataLoader([], sampler=InfiniteSampler([1])))
