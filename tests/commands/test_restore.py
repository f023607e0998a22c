"""`l2rkit restore`, and the tiles in which it works."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from l2rkit.commands.restore import restore
from l2rkit.restore import Resample
from l2rkit.restore.tiles import tiled


@pytest.mark.parametrize("size", [(5, 7), (20, 20), (41, 33)])
def test_tiles_give_what_the_whole_gives(size: tuple[int, int]) -> None:
    photo, part = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)), Resample()
    sizes = []

    def watched(piece: torch.Tensor) -> torch.Tensor:
        sizes.append(max(piece.shape[2:]))
        return part(piece)

    torch.testing.assert_close(tiled(watched, photo, tile=10, overlap=4), part(photo))
    assert max(sizes) <= 18
    apart = tiled(part, photo, tile=10, overlap=0)
    assert torch.equal(apart, part(photo)) == (max(size) <= 10)


def test_writes_a_picture_for_each_photo_and_says_what_failed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)
    Image.fromarray(pixels).save(photos / "good.png")
    (photos / "bad.jpg").write_text("no picture")
    words = [str(photos), "--restorer", "Resample", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(restore, words)
    assert result.exit_code == 1
    assert "bad.jpg" in result.stderr and "1 of 2 photos failed" in result.stderr
    (written,) = (tmp_path / "out").iterdir()
    better = np.asarray(Image.open(written))
    assert written.name == "good.png" and better.shape == (48, 36, 3)
    small = better.reshape(12, 4, 9, 4, 3).mean((1, 3))
    assert np.corrcoef(small.ravel(), pixels.ravel())[0, 1] > 0.95


def test_an_unknown_restorer_is_one_line(tmp_path: Path) -> None:
    words = ["x.png", "--restorer", "RealESRGAM", "--out", str(tmp_path)]
    result = CliRunner().invoke(restore, words)
    assert result.exit_code == 2 and "did you mean 'RealESRGAN'?" in result.stderr
