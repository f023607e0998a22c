"""`l2rkit browse-dataset` on a tiny data set: the sheet, and errors."""

import numpy as np
from click.testing import CliRunner
from PIL import Image

from l2rkit.cli import main
from l2rkit.viz.panel import TILE

DEGRADED = """
from l2rkit.data import Degrade
from l2rkit.degrade import ColourShift

train_dataloader = dict(**test_dataloader)
train_dataloader["dataset"] = dict(
    type=SyntheticHeads,
    split="test",
    size=8,
    image_size=32,
    root=test_dataloader["dataset"]["root"],
    pipeline=[
        dict(type=ResizeFace, image_size=32),
        dict(type=Degrade, degradation=dict(type=ColourShift, levels=80)),
        dict(type=PackPhoto),
    ],
)
"""


def run(*words):
    return CliRunner().invoke(main, ["browse-dataset", *map(str, words)])


def test_inputs_and_targets_stand_side_by_side(config, tmp_path):
    config.write_text(config.read_text() + DEGRADED)
    out = tmp_path / "sheet.png"
    result = run(config, "--photos", 4, "--out", out)
    assert result.exit_code == 0 and "4 of 8 samples" in result.output, result.output
    tiles = np.asarray(Image.open(out)).reshape(TILE, 4, 2, TILE, 3).transpose(1, 2, 0, 3, 4)
    for bad, good in tiles.astype(int):
        inside = ((bad > 0) & (bad < 255)).all(2)
        shift = (bad - good)[inside]
        assert np.abs(shift.mean(0)).max() > 2 and shift.std(0).max() < 1  # one shift for all
    again = tmp_path / "again.png"
    run(config, "--photos", 4, "--out", again)
    assert again.read_bytes() == out.read_bytes()


def test_a_split_without_degradation_shows_photos_once(config, tmp_path):
    out = tmp_path / "sheet.png"
    result = run(config, "--split", "test", "--out", out)
    assert result.exit_code == 0, result.output
    assert Image.open(out).size == (4 * TILE, 2 * TILE)


def test_a_config_without_the_split_is_named(config):
    result = run(config)
    assert result.exit_code == 2 and "has no train_dataloader" in result.output


def test_a_picture_of_somebody_else_stays(config, tmp_path):
    out = tmp_path / "mine.png"
    out.write_bytes(b"mine")
    result = CliRunner().invoke(
        main, ["browse-dataset", str(config), "--split=test", "--out", str(out)]
    )
    assert result.exit_code == 2 and "is none of l2rkit's" in result.stderr
    assert out.read_bytes() == b"mine"
