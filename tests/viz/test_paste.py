"""A face pasted back into its photo: position, size, and unchanged surroundings."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageCms, ImageOps

from l2rkit.apis.reconstructor import reconstruct
from l2rkit.cli import main
from l2rkit.data.crops import warp
from l2rkit.viz.paste import RIM, pasted
from l2rkit.zoo import FOLDER

SAMPLE = FOLDER / "samples" / "portrait_1.jpg"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def waves(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: slow waves, which no resampling can spoil."""
    row, column = np.mgrid[:height, :width]
    channels = [np.sin(row / 19 + k) + np.cos(column / 23 - k) for k in range(3)]
    return np.rint(127.5 + 50 * np.stack(channels, -1)).astype(np.uint8)


def turned(angle_deg: float, scale: float, centre: tuple, size: int) -> np.ndarray:
    """(2, 3): a similarity that takes `centre` of the photo to the middle of the crop."""
    angle = np.deg2rad(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, np.full(2, (size - 1) / 2) - turn @ centre])


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.7])
@pytest.mark.parametrize("angle", [0, 33])
def test_a_crop_pasted_back_is_the_photo(scale: float, angle: float) -> None:
    photo, size = waves(300, 200), 64
    matrix = turned(angle, scale, (140, 90), size)
    crop = warp(photo, matrix, size)
    back = np.asarray(pasted(Image.fromarray(photo), crop, matrix))
    assert back.shape == photo.shape
    assert np.abs(back.astype(int) - photo).max() <= 3


def test_the_face_lies_where_it_was_cut_and_nothing_else_changes() -> None:
    photo, size, scale = waves(300, 200), 64, 0.8
    matrix = turned(20, scale, (140, 90), size)
    green = np.zeros((size, size, 3), np.uint8) + np.array([0, 255, 0], np.uint8)
    back = np.asarray(pasted(Image.fromarray(photo), green, matrix))
    row, column = np.mgrid[:200, :300]
    x, y = np.einsum("ij,jhw->ihw", matrix, np.stack([column, row, np.ones_like(row)]))
    inside = np.minimum(np.minimum(x, size - 1 - x), np.minimum(y, size - 1 - y))
    assert (back[inside < -1] == photo[inside < -1]).all()
    assert (back[inside > RIM * size + 2] == (0, 255, 0)).all()
    half = np.zeros((size, size), np.float32)
    half[:, : size // 2] = 1
    back = np.asarray(pasted(Image.fromarray(photo), green, matrix, half))
    assert (back[x > size / 2 + 1] == photo[x > size / 2 + 1]).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_a_photo_larger_than_those_that_are_read_keeps_its_size(mode: str) -> None:
    photo = Image.new("L", (7000, 40)).convert(mode)
    back = pasted(photo, np.full((32, 32, 3), 200, np.uint8), turned(0, 1, (6900, 20), 32))
    assert back.size == (7000, 40)
    columns = np.asarray(back.convert("L"))[20].nonzero()[0]
    assert 6880 < columns.min() < 6900 < columns.max() < 6920


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK"])
def test_size_mode_alpha_and_profile_stay(mode: str) -> None:
    alpha = Image.fromarray(waves(90, 70)[..., 0])
    photo = Image.fromarray(waves(90, 70)).convert(mode)
    if mode in ("RGBA", "LA"):
        photo.putalpha(alpha)
    photo.info["icc_profile"] = PROFILE
    back = pasted(photo, np.full((32, 32, 3), 200, np.uint8), turned(0, 1, (45, 35), 32))
    assert back.size == photo.size
    assert back.mode == {"P": "RGB", "CMYK": "RGB"}.get(mode, mode)
    if mode in ("RGBA", "LA"):
        np.testing.assert_array_equal(back.getchannel("A"), alpha)
    assert back.info.get("icc_profile") == (PROFILE if mode in ("RGB", "RGBA") else None)
    middle = np.asarray(back.convert("RGB"))[35, 45].astype(int)
    assert np.abs(middle - 200).max() <= 1


def test_restore_pastes_into_the_file_that_was_given(tmp_path: Path) -> None:
    """A portrait file, stored lying on its side, with a profile and alpha, larger than any crop."""
    photo = Image.open(SAMPLE).convert("RGBA").resize((700, 700))
    photo.putalpha(Image.linear_gradient("L").resize(photo.size).point(lambda v: 128 + v // 2))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = photo.transpose(Image.Transpose.ROTATE_90)
    lying.crop((0, 0, 700, 660)).save(tmp_path / "a.png", icc_profile=PROFILE, exif=exif)
    words = ["restore", str(tmp_path / "a.png"), "--paste", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    back = Image.open(tmp_path / "out" / "a.png")
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "a.png"))
    assert back.size == upright.size == (660, 700) and back.mode == "RGBA"
    assert back.info["icc_profile"] == PROFILE
    was, now = (np.asarray(image).astype(int) for image in (upright, back))
    np.testing.assert_array_equal(now[..., 3], was[..., 3])
    changed = np.abs(now - was).max(-1) > 0
    assert 0.05 < changed.mean() < 0.9 and not changed[:20].any() and not changed[-20:].any()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--restorer", "Resample"), "--paste is for restorers of faces; Resample restores"),
        (("--no-align",), "--paste finds faces by itself"),
    ],
)
def test_what_cannot_be_pasted_is_said(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(
        main, ["restore", str(SAMPLE), "--paste", "--out", str(tmp_path), *words]
    )
    assert done.exit_code == 2 and said in done.stderr


def test_a_relit_face_goes_back_into_its_photo() -> None:
    photo = Image.open(SAMPLE)
    face = reconstruct(photo, "configs/face_mesh/face_mesh.py")
    dark = face.relight(ambient=0.1, diffuse=0.1).paste(photo)
    assert dark.size == photo.size
    was, now = (np.asarray(image.convert("L")).astype(int) for image in (photo, dark))
    x, y = np.linalg.solve(face.crop[:, :2], np.full(2, 63.5) - face.crop[:, 2]).astype(int)
    nose = np.s_[y - 5 : y + 5, x - 5 : x + 5]
    assert now[nose].mean() < 0.6 * was[nose].mean()
    np.testing.assert_array_equal(now[:10], was[:10])
