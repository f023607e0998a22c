"""Logs of MMEngine, read and plotted."""

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from l2rkit.errors import DataError
from l2rkit.viz.log import plot_logs, read_log
from tools.analysis.plot_log import main


def write(run, day, *entries):
    folder = run / day / "vis_data"
    folder.mkdir(parents=True)
    (folder / "scalars.json").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.fixture
def run(tmp_path):
    """A run that was resumed after step 20, and had logged step 30 before."""
    path = tmp_path / "run"
    first = [dict(lr=0.1, loss=s / 10, time=1.0, iter=s, step=s) for s in (10, 20, 30)]
    write(path, "20260101_000000", *first, dict(side=1.5, step=0))
    write(path, "20260102_000000", dict(loss=7.0, iter=30, step=30), dict(loss=8.0, step=40))
    write(path, "20260103_000000", dict(side=9.9, step=0))  # a test alone
    return path


def test_a_resumed_run_is_one_line_in_which_the_later_word_counts(run):
    log = read_log(run)
    assert set(log) == {"lr", "loss", "side"}
    assert log["loss"] == {10: 1.0, 20: 2.0, 30: 7.0, 40: 8.0} and log["side"] == {30: 1.5}


def test_a_single_file_is_read_too(run):
    (file, *_) = sorted(run.rglob("scalars.json"))
    assert read_log(file)["loss"] == {10: 1.0, 20: 2.0, 30: 3.0}


def test_a_line_rises_where_its_figures_do():
    rising = {"loss": {step: float(step) for step in range(30)}}
    picture = np.asarray(Image.open(io.BytesIO(plot_logs(dict(one=rising)))).convert("RGB"))
    rows, columns = (np.abs(picture.astype(int) - [31, 119, 180]).sum(2) < 30).nonzero()
    middle = columns[rows < picture.shape[0] * 0.8]  # without the legend below
    heights = rows[rows < picture.shape[0] * 0.8]
    assert np.corrcoef(middle, heights)[0, 1] < -0.95  # rows are counted from above


def test_what_is_missing_is_named(tmp_path, run):
    with pytest.raises(DataError, match="no logged figures"):
        read_log(tmp_path / "none")
    with pytest.raises(DataError, match="no run logged 'los': did you mean 'loss'"):
        plot_logs(dict(run=read_log(run)), ["los"])
    (tmp_path / "broken.json").write_text('{"loss": 1, "step": 1}\n{"lo')
    with pytest.raises(DataError, match=r"broken\.json, line 2 is no JSON"):
        read_log(tmp_path / "broken.json")


def test_the_tool_draws_several_runs(tmp_path, run):
    write(tmp_path / "other", "20260101_000000", dict(loss=1.0, step=10))
    out = tmp_path / "new.png"
    words = [str(run), str(tmp_path / "other"), "--key", "loss", "--out", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0 and "2 runs" in result.output, result.output
    assert Image.open(out).size == (500, 350)
    missing = CliRunner().invoke(main, [str(tmp_path / "none"), "--out", str(out)])
    assert missing.exit_code == 2 and "no logged figures" in missing.output
