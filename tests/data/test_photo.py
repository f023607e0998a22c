"""Picture files of every format give the right colours."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from l2rkit.data import photo as photo_module
from l2rkit.data.photo import PhotoError, list_photos, photo_size, read_photo, to_8bit

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (12, 20, 3), dtype=np.uint8)


def saved(path, pixels, **how):
    Image.fromarray(pixels).save(path, **how)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".webp"])
def test_lossless_rgb_comes_back_exactly(tmp_path, suffix):
    how = dict(lossless=True) if suffix == ".webp" else {}
    np.testing.assert_array_equal(
        read_photo(saved(tmp_path / f"a{suffix}", COLOURS, **how)), COLOURS
    )


def test_grey_has_three_equal_channels(tmp_path):
    read = read_photo(saved(tmp_path / "grey.png", COLOURS[..., 0]))
    np.testing.assert_array_equal(read, np.repeat(COLOURS[..., :1], 3, axis=2))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_ramp_is_scaled_not_clipped(tmp_path, suffix):
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    read = read_photo(saved(tmp_path / f"ramp{suffix}", ramp))
    np.testing.assert_array_equal(read[0, :, 0], np.arange(256))


def test_sixteen_bit_rgb_is_scaled(tmp_path):
    deep = COLOURS.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep[..., ::-1])
    np.testing.assert_array_equal(read_photo(tmp_path / "deep.png"), COLOURS)


def test_float_tiff(tmp_path):
    level = np.full((8, 8), 0.5, np.float32)
    level[0, 0] = np.nan
    read = read_photo(saved(tmp_path / "float.tif", level))
    assert read[1, 1, 0] == 128 and read[0, 0, 0] == 0


@pytest.mark.parametrize("white", [1.0, 255.0, 4000.0])
def test_float_range_is_found(white):
    np.testing.assert_array_equal(to_8bit(np.array([[0, 0.2, 1]]) * white), [[0, 51, 255]])


@pytest.mark.parametrize("most", [1.0001, 1.3, 2.0])
def test_floats_a_little_above_1_are_white_and_the_others_stay(most):
    np.testing.assert_array_equal(to_8bit(np.array([[0, 0.2, 1, most]])), [[0, 51, 255, 255]])


def test_transparency_lies_over_mid_grey(tmp_path):
    alpha = np.zeros((12, 20), np.uint8)
    alpha[:, 10:] = 255
    read = read_photo(saved(tmp_path / "a.png", np.dstack([COLOURS, alpha])))
    assert (read[:, :10] == 128).all()
    np.testing.assert_array_equal(read[:, 10:], COLOURS[:, 10:])
    read = read_photo(saved(tmp_path / "la.png", np.dstack([COLOURS[..., 0], alpha])))
    assert (read[:, :10] == 128).all() and (read[:, 10:, 2] == COLOURS[:, 10:, 0]).all()


def test_palette_with_a_transparent_colour(tmp_path):
    picture = Image.new("P", (10, 10), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "p.png", transparency=0)
    read = read_photo(tmp_path / "p.png")
    assert read[0, 0].tolist() == [128] * 3 and read[5, 5].tolist() == [200, 100, 50]


def test_cmyk(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=95)
    red = read_photo(tmp_path / "red.jpg")[8, 8]
    assert red[0] > 240 and red[1] < 15 and red[2] < 15


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_ends_upright(tmp_path, orientation, suffix):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = 255, 0, 0  # red at the top left
    stored = {  # what a camera held that way has written
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright.transpose(1, 0, 2), 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"turned{suffix}", np.ascontiguousarray(stored), exif=exif)
    read = read_photo(path)
    assert read.shape == upright.shape and photo_size(path) == (32, 16)
    assert read[3, 3, 0] > 200 and read[-3, -3, 0] < 50 and read[3, -3, 0] < 50


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_large_photo_is_reduced_and_keeps_its_shape(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(photo_module, "LONGEST_SIDE", 60)
    ramp = np.tile(np.linspace(0, 255, 400).astype(np.uint8)[None, :, None], (200, 1, 3))
    path = saved(tmp_path / f"large{suffix}", ramp)
    read = read_photo(path)
    assert read.shape == (30, 60, 3) and photo_size(path) == (400, 200)
    assert abs(int(read[15, 30, 0]) - 128) < 5


def test_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_module, "MOST_BYTES", 100)
    path = saved(tmp_path / "bomb.png", COLOURS)
    with pytest.raises(PhotoError, match=r"bomb.png.*20 x 12 px of PNG .*GB.*limit"):
        read_photo(path)


def test_more_pixels_than_pillow_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_photo(saved(tmp_path / "a.png", COLOURS)).shape == COLOURS.shape
    assert Image.MAX_IMAGE_PIXELS == 10


def broken_files(folder):
    whole = io.BytesIO()
    Image.fromarray(np.tile(COLOURS, (9, 9, 1))).save(whole, "JPEG")
    (folder / "cut.jpg").write_bytes(whole.getvalue()[:-900])
    (folder / "text.jpg").write_text("this is not a photo at all")
    (folder / "empty.png").touch()
    (folder / "folder.jpg").mkdir()
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    saved(folder / "pixel.png", COLOURS[:1, :1])
    saved(folder / "thin.png", COLOURS[:7])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cut.jpg", "damaged or cut short"),
        ("text.jpg", "not a picture in a known format.*this is not"),
        ("empty.png", "empty"),
        ("folder.jpg", "is a folder"),
        ("gone.jpg", "no such file"),
        ("phone.heic", "HEIC.*convert"),
        ("pixel.png", "1 x 1 px, at least 8"),
        ("thin.png", "20 x 7 px, at least 8"),
    ],
)
def test_unusable_files_get_one_line(tmp_path, name, reason, monkeypatch):
    monkeypatch.setattr(photo_module, "find_spec", lambda name: None)  # without pillow-heif
    broken_files(tmp_path)
    with pytest.raises(PhotoError, match=reason) as caught:
        read_photo(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_list_photos_is_sorted_deep_and_picky(tmp_path):
    expected = ["a.JPG", "b/ä.png", "b/c/z.webp", "日本/顔.jpeg"]
    for name in [*expected, "b/notes.txt", "b/._ä.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in list_photos(tmp_path)] == sorted(expected)


def test_what_is_passed_over_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_module, "find_spec", lambda name: None)  # without pillow-heif
    said = []
    for name in ["a.jfif", "b.heic", "sub/c.HEIC", "d.tga", "noname", ".hidden"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in list_photos(tmp_path, said.append)] == ["a.jfif"]
    (line,) = said
    for part in ["4 files passed over: 2 .heic (convert to JPEG", "1 .tga", "1 without a suffix"]:
        assert part in line
    (tmp_path / "a.jfif").unlink()
    with pytest.raises(PhotoError, match=r"holds no photos.*2 \.heic \(convert"):
        list_photos(tmp_path)
    monkeypatch.setattr(photo_module, "find_spec", lambda name: name)
    assert len(list_photos(tmp_path)) == 2


def test_links_to_folders_are_followed_once(tmp_path):
    for name in ["in/a.jpg", "elsewhere/b.jpg"]:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "in")
    assert [path.name for path in list_photos(tmp_path / "in")] == ["a.jpg", "b.jpg"]


def test_heic_is_read_where_pillow_heif_is(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra `heic`")
    pillow_heif.register_heif_opener()
    Image.new("RGB", (64, 64), (200, 100, 50)).save(tmp_path / "a.heic", quality=95)
    assert abs(read_photo(tmp_path / "a.heic")[32, 32] - np.array([200, 100, 50])).max() < 6


def test_photo_at_a_non_ascii_path(tmp_path):
    np.testing.assert_array_equal(read_photo(saved(tmp_path / "顔 ä.png", COLOURS)), COLOURS)


def test_list_photos_says_what_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    for path, reason in [
        ("gone", "no such folder"),
        ("file", "is a file"),
        ("", "holds no photos"),
    ]:
        with pytest.raises(PhotoError, match=reason):
            list_photos(tmp_path / path)
