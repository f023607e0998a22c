"""Output is readable: trainings in ten lines and a bar, tables in 120 columns."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_chain import TRAINING

from l2rkit.cli import main
from l2rkit.cli.tables import in_columns, narrow
from l2rkit.data import SyntheticHeads
from l2rkit.engine.console import clock, is_said

ROOT = Path(__file__).parents[2]


def test_a_training_says_what_it_does_in_ten_lines_and_how_far_it_is(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    text = config.read_text() + TRAINING.format(steps=4)
    text += "from mmengine.runner import ValLoop\nval_dataloader = dict(**test_dataloader)\n"
    text += "val_evaluator = dict(type=DepthErrors)\nval_cfg = dict(type=ValLoop)\n"
    text = text.replace("max_iters=4", "max_iters=4, val_interval=4")
    text += (
        'optim_wrapper.update(paramwise_cfg=dict(custom_keys={"decompose": dict(lr_mult=2.0)}))\n'
    )
    config.write_text(text + "from mmengine.hooks import LoggerHook\n")
    words = ["train", str(config), "--auto-scale-lr", "--cfg-options"]
    words += ["default_hooks.logger.interval=2", "train_dataloader.batch_size=8"]
    config.write_text(
        config.read_text() + "default_hooks.update(logger=dict(type=LoggerHook, interval=10))\n"
    )
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    lines = done.stderr.splitlines()
    assert max(map(len, lines)) <= 120
    titles = "config model weights begins losses data optimizer steps runs writes"
    assert " ".join(line.split()[0] for line in lines[:10]) == titles
    summary = "\n".join(lines[:10])
    assert "FaceReconstructor: Unsup3DDecomposer, GridRenderer" in summary
    assert "SyntheticHeads, 8 samples, 8 a step" in summary and "lr 0.004" in summary
    assert "cpu, 1 process, seed " in summary
    assert "work_dirs/tiny" in lines[9] and "random weights" in lines[3]
    steps = [line for line in lines[10:] if line.startswith("[")]
    assert [line.split("] ")[1].split()[0] for line in steps] == ["2/4", "4/4"]
    assert "loss " in steps[0] and steps[0].endswith(" left") and "00:00 left" in steps[1]
    (validated,) = [line for line in lines if line.startswith("validated after 4 steps: ")]
    assert "side " in validated
    assert "optim_wrapper" not in done.output, "the whole config is for the file"
    (log,) = Path("work_dirs/tiny").glob("*/*.log")
    assert "optim_wrapper" in log.read_text() and "(train)" in log.read_text()


def test_progress_without_default_hooks_in_the_config(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    text = TRAINING.format(steps=1).replace("default_hooks =", "not_hooks =")
    config.write_text(config.read_text() + text)
    done = CliRunner().invoke(main, ["train", str(config)])
    assert done.exit_code == 0, done.output
    assert "steps       1, saved at the end" in done.stderr.splitlines()


def test_warnings_without_consequence_are_for_the_log_file() -> None:
    frozen = "losses.a.weight is skipped since its requires_grad=False"
    resumed = "Advance dataloader 2 steps to skip data that has already been trained"
    for words, said in ((frozen, False), (resumed, False), ("a loss is not finite", True)):
        record = logging.LogRecord("mmengine", logging.WARNING, "", 0, words, None, None)
        assert is_said(record) is said


def test_time_is_printed_as_hours_minutes_seconds() -> None:
    assert [clock(s) for s in (0, 59.6, 61, 3723)] == ["00:00", "01:00", "01:01", "1:02:03"]


def test_long_cells_are_wrapped_and_none_is_cut() -> None:
    rows = [("name", "for", "licence"), ("a", "one two " * 20, "three " * 20)]
    lines = in_columns(rows, 60)
    assert max(map(len, lines)) <= 60 and len(lines) > 4
    said = " ".join(lines).split()
    assert said.count("one") == said.count("two") == said.count("three") == 20


def test_the_leaderboard_of_all_that_is_published_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    published = [str(p) for p in sorted(ROOT.glob("configs/*/results.json"))]
    done = CliRunner().invoke(main, ["leaderboard", *published])
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 120
    for path in published:
        for entry in json.loads(Path(path).read_text()):
            assert entry["config"] in done.stdout


def test_what_fits_is_left_as_it_is_and_figures_stay_with_their_method() -> None:
    fits = "| protocol | level | method | images |\n|---|---|---|---|\n| a | b | c | 4 |"
    assert narrow(fits) == fits
    head = "| protocol | level | method | supervision | first | second | images |"
    rows = ["| a | x | m | I | **1.0** | 2.0 | 4 |", "| a | y | n | I | 3.0 | 4.0 | 4 |"]
    table = "\n".join([head, "|" + "---|" * 7, *rows])
    lines = narrow(table, 30).splitlines()
    assert lines[0] == "a, x, 4 images; 1 more columns with --out FILE.md"
    assert lines[1].split() == ["method", "supervision", "first"]
    assert lines[2].split() == ["m", "I", "1.0"]
    assert lines[4].startswith("a, y, 4 images") and lines[6].split() == ["n", "I", "3.0"]


def test_usage_errors_come_before_slow_imports() -> None:
    code = "import sys; from click.testing import CliRunner; from l2rkit.cli import main\n"
    code += "for words in (['reconstruct'], ['restore'], ['reconstuct'], ['--help']):\n"
    code += "    print(CliRunner().invoke(main, words).output)\n"
    code += "assert 'torch' not in sys.modules and 'mmengine' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "name a PHOTO or a --collection" in done.stdout
    assert "no command is called 'reconstuct': did you mean 'reconstruct'?" in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2], "summaries of commands are whole"


def test_the_line_on_rendering_comes_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for _ in range(2):  # a command builds a data set twice, to check it and to train
        SyntheticHeads("train", 2000, root=str(tmp_path))
    assert capsys.readouterr().err.count("2,000 synthetic heads") == 1


@pytest.mark.parametrize("rank", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"])
def test_one_of_several_processes_prints_the_line_on_rendering(
    rank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for process, lines in (("1", 0), ("0", 1)):
        monkeypatch.setenv(rank, process)
        SyntheticHeads("train", 2000, root=str(tmp_path))
        assert capsys.readouterr().err.count("2,000 synthetic heads") == lines
