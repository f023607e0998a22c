"""Wrong options give one line before data are rendered or networks trained."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_train import TRAINING

from l2rkit.cli import main
from l2rkit.cli.starting import JOINED_BY
from l2rkit.zoo import FOLDER

HEAD = FOLDER / "samples" / "head.jpg"


@pytest.fixture
def training(config: Path) -> Path:
    config.write_text(config.read_text() + TRAINING)
    return config


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(result: Result, said: str) -> None:
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert said in line


CHANGES = {
    "train_cfg.max_iters=-1": "train_cfg.max_iters is a whole number from 1 up, not -1",
    "train_cfg.max_iters=many": "max_iters is a whole number, not 'many'",
    "train_cfg=3": "'train_cfg' is a dict such as dict(a=1), not 3",
    "model=None": "it has no model",
    "optim_wrapper=None": "it has no optim_wrapper",
    "randomness.seed=-1": "randomness.seed is a whole number from 0 up, not -1",
    "train_dataloader.batch_size=0": "train_dataloader.batch_size is a whole number from 1 up",
    "train_dataloader.num_workers=-1": "num_workers is a whole number from 0 up, not -1",
    "optim_wrapper.optimizer.lr=1e999": "optim_wrapper.optimizer.lr is a finite number",
    "optim_wrapper.optimizer.lr=-1": "optim_wrapper.optimizer.lr is a finite number",
}


@pytest.mark.parametrize("change", CHANGES)
def test_numbers_out_of_range(change: str, training: Path, tmp_path: Path, monkeypatch) -> None:
    with training.open("a") as file:
        file.write("train_dataloader.update(num_workers=0)\n")
    monkeypatch.setattr("mmengine.registry.DATASETS.build", lambda cfg: pytest.fail("too late"))
    words = ("train", training, "--work-dir", tmp_path / "run", "--cfg-options", change)
    refused(run(*words), CHANGES[change])
    assert not (tmp_path / "run").exists()


def test_a_batch_that_is_larger_than_the_data(training: Path, tmp_path: Path) -> None:
    change = ("--cfg-options", "train_dataloader.batch_size=9")
    done = run("train", training, "--work-dir", tmp_path / "run", *change)
    refused(done, "train_dataloader.batch_size is 9, but there are 8 photos")


@pytest.mark.parametrize("launcher", JOINED_BY)
def test_a_launcher_that_did_not_start_it(launcher, training, tmp_path, monkeypatch) -> None:
    for name in JOINED_BY[launcher]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("mmengine.registry.DATASETS.build", lambda cfg: pytest.fail("too late"))
    done = run("train", training, "--work-dir", tmp_path / "run", "--launcher", launcher)
    refused(done, f"--launcher {launcher}: {JOINED_BY[launcher][0]} is not set; start it by")
    done = run("test", training, "--launcher", launcher)
    refused(done, f"--launcher {launcher}: {JOINED_BY[launcher][0]} is not set; start it by")


@pytest.mark.parametrize("below", ["", "/deeper/still"])
def test_a_work_dir_that_is_a_file(below, training, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr("mmengine.registry.DATASETS.build", lambda cfg: pytest.fail("too late"))
    done = run("train", training, "--work-dir", f"{tmp_path / 'file'}{below}")
    refused(done, f"{tmp_path / 'file'} is no folder")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("seed", [-1, 2**32, "x"])
def test_a_seed_that_is_none(seed, training: Path, tmp_path: Path) -> None:
    refused(run("train", training, "--work-dir", tmp_path / "run", "--seed", seed), "'--seed'")


def test_a_config_without_a_model(tmp_path: Path, training: Path) -> None:
    (tmp_path / "none.py").write_text("a = 1\n")
    refused(run("train", tmp_path / "none.py"), "it has no model")
    words = ("--config", tmp_path / "none.py", "--out", tmp_path / "out")
    refused(run("reconstruct", HEAD, *words), "none.py has no model")
    training.write_text(training.read_text() + "\nmodel = None\n")
    refused(run("test", training, "--dry-run"), "has no model")


def test_a_config_of_a_work_dir_works(training: Path, tmp_path: Path, monkeypatch) -> None:
    """A training leaves one there that names its parts by their paths."""
    monkeypatch.chdir(tmp_path)
    short = ("--cfg-options", "train_cfg.max_iters=2")
    assert run("train", training, "--work-dir", "run", *short).exit_code == 0
    left, weights = Path("run", training.name), Path("run", "iter_2.pth")
    assert "type='l2rkit.model.FaceReconstructor'" in left.read_text()
    for words in (
        ("print-config", left),
        ("train", left, "--work-dir", "again"),
        ("test", left, weights, "--results", "results.json"),
        ("browse-dataset", left, "--out", "sheet.png"),
        ("reconstruct", HEAD, "--config", left, "--weights", weights, "--out", "o", "--no-align"),
    ):
        done = run(*words)
        assert done.exit_code == 0, done.output
    assert {"head.glb", "head.npz", "head.png"} == set(os.listdir("o"))
    left.write_text(left.read_text().replace("FaceReconstructor", "FaceReconstrutor"))
    words = ("reconstruct", HEAD, "--config", left, "--weights", weights, "--out", "p")
    refused(run(*words), "no model is called 'l2rkit.model.FaceReconstrutor'")


@pytest.mark.parametrize("width", ["1e300", "1e-300", "nan", "inf", "0"])
def test_a_width_that_no_file_holds(width: str, tmp_path: Path) -> None:
    done = run("reconstruct", HEAD, "--out", tmp_path / "out", "--width-mm", width)
    refused(done, "--width-mm is above 0, 0.001 to 1000000")


@pytest.mark.parametrize("name", ["../x", "a/b", "x.y", ".", "os.system", "Resample.x"])
def test_a_restorer_that_is_none(name: str, tmp_path: Path) -> None:
    refused(run("restore", HEAD, "--restorer", name, "--out", tmp_path), "no restorer is called")


def test_a_part_that_fails_on_what_was_typed(tmp_path: Path) -> None:
    words = ("restore", HEAD, "--restorer", "FaceRestorer", "--out", tmp_path)
    refused(run(*words, "--restorer-options", "image_size=x"), "FaceRestorer")
    refused(run(*words, "--device", "warp"), "no device 'warp' here")
