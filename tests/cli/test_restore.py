"""`l2rkit restore`, and its tiles."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from l2rkit.cli.restore import restore
from l2rkit.data.align import FaceAligner
from l2rkit.data.photo import read_photo
from l2rkit.registry import RESTORERS
from l2rkit.restore import Resample
from l2rkit.restore.tiles import tiled
from l2rkit.zoo import zoo_file


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


def test_a_restorer_gets_its_options(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (10, 9, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    words = [str(tmp_path / "photo.png"), "--restorer", "Resample", "--out", str(tmp_path / "out")]
    options = ["--restorer-options", "scale=2", "--restorer-options", "method=bilinear"]
    result = CliRunner().invoke(restore, words + options)
    assert result.exit_code == 0, result.output
    expected = Resample("bilinear", 2)(torch.from_numpy(photo).movedim(2, 0)[None] / 255)
    better = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    assert better.shape == (20, 18, 3)
    assert np.abs(better - 255 * expected[0].movedim(0, 2).numpy()).max() <= 1


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("scael=2", "Resample takes no 'scael': did you mean 'scale'?"),
        ("scale=0", "Resample enlarges by a whole number from 1 to 16, not by 0"),
        ("scale=nan", "Resample: scale is a whole number, not 'nan'"),
        ("scale=1e9", "Resample: scale is a whole number, not 1000000000.0"),
        ("method=3", "Resample: method is a word, not 3"),
        ("method=best", "Resample knows no method 'best'"),
        ("scale", "'scale' is not KEY=VALUE"),
    ],
)
def test_wrong_options_are_said(tmp_path: Path, option: str, said: str) -> None:
    words = ["x.png", "--restorer", "Resample", "--out", str(tmp_path)]
    result = CliRunner().invoke(restore, [*words, "--restorer-options", option])
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize("whole", [False, True])
def test_what_needs_the_whole_photo_sees_it(
    tmp_path: Path, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Watched(Resample):
        def forward(self, photo: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(photo.shape[2:]))
            return super().forward(photo)

    Watched.needs_whole_photo = whole
    monkeypatch.setitem(RESTORERS.module_dict, "Watched", Watched)
    Image.fromarray(np.zeros((200, 20, 3), np.uint8)).save(tmp_path / "long.png")
    words = [str(tmp_path / "long.png"), "--restorer", "Watched", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(restore, words).exit_code == 0
    assert seen == ([(200, 20)] if whole else [(200, 20), (24, 20)])


def test_a_restorer_of_a_fixed_size_sees_the_whole_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fixed(torch.nn.Module):
        image_size = 16

        def forward(self, photo: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(photo, size=(16, 16))

    monkeypatch.setitem(RESTORERS.module_dict, "Fixed", Fixed)
    Image.fromarray(np.full((300, 250, 3), 90, np.uint8)).save(tmp_path / "large.png")
    words = [str(tmp_path / "large.png"), "--restorer", "Fixed", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(restore, words)
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "out" / "large.png").size == (16, 16)


def test_a_restorer_of_faces_without_a_size_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sizeless(Resample):
        aligned = True

    monkeypatch.setitem(RESTORERS.module_dict, "Sizeless", Sizeless)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "a.png")
    for more in ([], ["--no-align"]):
        words = [str(tmp_path / "a.png"), "--restorer", "Sizeless", "--out", str(tmp_path / "o")]
        done = CliRunner().invoke(restore, [*words, *more])
        assert done.exit_code == 2 and "Sizeless restores one aligned face, but" in done.stderr


def test_a_restorer_of_faces_gets_the_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OfFaces(Resample):
        aligned, image_size = True, 32

    monkeypatch.setitem(RESTORERS.module_dict, "OfFaces", OfFaces)
    sample = zoo_file("samples/portrait_4.jpg")
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(tmp_path / "nobody.png")
    words = [sample, tmp_path / "nobody.png", "--restorer", "OfFaces", "--out", tmp_path / "out"]
    result = CliRunner().invoke(restore, [str(word) for word in words])
    assert result.exit_code == 1 and "nobody.png': no face found" in result.stderr
    better = np.asarray(Image.open(tmp_path / "out" / "portrait_4.png"))
    expected, _ = FaceAligner(32).crop(read_photo(sample))
    assert better.shape == (128, 128, 3)
    small = better.reshape(32, 4, 32, 4, 3).mean((1, 3))
    assert np.corrcoef(small.ravel(), expected.ravel())[0, 1] > 0.99
    result = CliRunner().invoke(restore, [*map(str, words), "--no-align"])
    assert result.exit_code == 0
    assert Image.open(tmp_path / "out" / "nobody.png").size == (128, 128)
    wide = np.zeros((30, 90, 4), np.uint8)
    wide[:, 30:60] = 255  # the middle square is white and opaque
    Image.fromarray(wide).save(tmp_path / "wide.png")
    words = [str(tmp_path / "wide.png"), *map(str, words[2:]), "--no-align"]
    assert CliRunner().invoke(restore, words).exit_code == 0
    square = np.asarray(Image.open(tmp_path / "out" / "wide.png"))
    assert square.shape == (128, 128, 4) and square[8:-8, 8:-8].min() > 250


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_is_transparent_stays_so(orientation: int, tmp_path: Path) -> None:
    pixels = np.full((12, 20, 4), 200, np.uint8)
    pixels[:, :10, 3], pixels[:, 10:, 3] = 0, 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "cut.png", exif=exif)
    Image.fromarray(pixels[..., :3]).save(tmp_path / "whole.png")
    out = tmp_path / "out"
    for name in ("cut", "whole"):
        words = [str(tmp_path / f"{name}.png"), "--restorer", "Resample", "--out", str(out)]
        assert CliRunner().invoke(restore, words).exit_code == 0
    assert Image.open(out / "whole.png").mode == "RGB"
    alpha = np.array(Image.open(out / "cut.png").getchannel("A"))
    alpha = alpha if orientation == 1 else np.rot90(alpha)  # back as it was stored
    assert alpha.shape == (48, 80) and not alpha[:, :36].any() and (alpha[:, 44:] == 255).all()


def test_a_face_that_is_cut_out_keeps_its_outline(tmp_path: Path) -> None:
    photo = np.array(Image.open(zoo_file("samples/portrait_1.jpg")))
    opaque = np.zeros(photo.shape[:2], np.uint8)
    opaque[:, : photo.shape[1] // 2] = 255
    Image.fromarray(np.dstack([photo, opaque])).save(tmp_path / "cut.png")
    words = [str(tmp_path / "cut.png"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(restore, words)
    assert result.exit_code == 0, result.output
    written = Image.open(tmp_path / "out" / "cut.png")
    alpha = np.array(written.getchannel("A"))
    assert alpha[:, 0].min() == 255 and not alpha[:, -1].any()


@pytest.mark.parametrize("paste", [False, True])
def test_what_is_not_kept_is_said(
    paste: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfFaces(Resample):
        aligned, image_size = True, 32

    monkeypatch.setitem(RESTORERS.module_dict, "OfFaces", OfFaces)
    photo = Image.open(zoo_file("samples/portrait_1.jpg")).convert("RGB")
    deep = np.asarray(photo).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "colour.png"), deep)
    Image.fromarray(deep[..., 1]).save(tmp_path / "grey.png")
    photo.save(tmp_path / "moves.gif", save_all=True, append_images=[photo.rotate(9)])
    photo.save(tmp_path / "still.gif")
    photo.save(tmp_path / "preview.mpo", save_all=True, append_images=[photo.rotate(9)])
    words = [tmp_path, "--restorer", "OfFaces", "--out", tmp_path / "out", *["--paste"] * paste]
    result = CliRunner().invoke(restore, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    notes = dict(line.split(" -> ") for line in result.stdout.splitlines())
    notes = {Path(file).name: note.partition(".png")[2] for file, note in notes.items()}
    bits, frames = "; 8 bits per channel, the photo has more", "; its first frame only"
    expected = {"colour.png": bits, "grey.png": bits, "moves.gif": frames}
    assert notes == expected | {"still.gif": "", "preview.mpo": ""}
