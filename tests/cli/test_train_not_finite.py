"""`l2rkit train` with non-finite numbers: skipped steps, and an end with one line."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from test_train import TRAINING

from l2rkit.cli import main
from l2rkit.io.weights import read_weights


@pytest.fixture
def training(config: Path) -> Path:
    config.write_text(config.read_text() + TRAINING)
    return config


def run(config: Path, work_dir: Path, *changes: str) -> Result:
    options = [word for change in changes for word in ("--cfg-options", change)]
    return CliRunner().invoke(main, ["train", str(config), "--work-dir", str(work_dir), *options])


def spoil(monkeypatch: pytest.MonkeyPatch, photos: set[int], value: float) -> None:
    """One pixel of some photos is not finite."""
    from l2rkit.data import SyntheticHeads

    whole = SyntheticHeads.__getitem__

    def spoilt(self: SyntheticHeads, index: int) -> dict:
        item = whole(self, index)
        if int(index) in photos:
            item["photo"] = item["photo"].clone()
            item["photo"][1, 2, 3] = value
        return item

    monkeypatch.setattr(SyntheticHeads, "__getitem__", spoilt)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_photo_that_is_not_finite_costs_its_step(training, tmp_path, monkeypatch, value) -> None:
    spoil(monkeypatch, {3}, value)
    done = run(training, tmp_path / "run", "train_cfg.max_iters=6", "train_cfg.val_begin=99")
    assert done.exit_code == 0, done.output
    content = torch.load(tmp_path / "run" / "iter_6.pth", weights_only=True)
    assert content["message_hub"]["runtime_info"]["skipped_steps"] == 3, "one of two batches"
    assert all(value.isfinite().all() for value in content["state_dict"].values())


def test_photos_that_are_never_finite_end_in_one_line(training, tmp_path, monkeypatch) -> None:
    spoil(monkeypatch, set(range(8)), float("nan"))
    done = run(training, tmp_path / "run", "train_cfg.max_iters=30")
    said(done, "10 steps in a row had photos that are not finite", tmp_path / "run")
    batch = torch.load(tmp_path / "run" / "bad_batch_9.pth", weights_only=True)
    assert batch["photo"].isnan().sum() == 4, "as it came"


def test_a_rate_that_is_far_too_high_ends_in_one_line(training, tmp_path) -> None:
    changes = ("optim_wrapper.optimizer.lr=1e4", "train_cfg.max_iters=30")
    done = run(training, tmp_path / "run", *changes)
    said(done, "10 steps in a row had loss or gradients that are not finite", tmp_path / "run")
    assert all(value.isfinite().all() for value in read_weights(latest(tmp_path / "run")).values())


def latest(work_dir: Path) -> Path:
    return Path((work_dir / "last_checkpoint").read_text())


def said(done: Result, words: str, work_dir: Path) -> None:
    assert done.exit_code == 2, done.output
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert words in line and list(work_dir.glob("bad_batch_*.pth"))
