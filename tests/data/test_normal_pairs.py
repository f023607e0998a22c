"""Normal maps in other conventions are converted to ours."""

import numpy as np
import pytest
from PIL import Image

from l2rkit.data import NormalPairs
from l2rkit.data.normal_pairs import axes_to_ours
from l2rkit.errors import DataError

OURS = np.float32([0.6, 0.48, -0.64])  # right, down, to the camera
PIPELINE = [dict(type="LoadPhoto"), dict(type="ResizeFace", image_size=8), dict(type="PackPhoto")]


def pair(root, vectors, name="1", as_png=True):
    image, normal = (root / "test" / kind / "a" for kind in ("image", "normal"))
    for folder in (image, normal):
        folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (9, 9, 9)).save(image / f"{name}_image.jpg")
    if as_png:
        pixels = np.rint((vectors + 1) * 127.5).astype(np.uint8)
        Image.fromarray(pixels).save(normal / f"{name}_normal.png")
    else:
        np.save(normal / f"{name}_normal.npy", vectors)


@pytest.mark.parametrize("as_png", [True, False])
@pytest.mark.parametrize(
    ("axes", "theirs"),
    [
        (("right", "up", "near"), (0.6, -0.48, 0.64)),
        (("right", "down", "far"), (0.6, 0.48, -0.64)),
        (("down", "left", "near"), (0.48, -0.6, 0.64)),
    ],
)
def test_axes(tmp_path, axes, theirs, as_png):
    vectors = np.tile(np.float32(theirs), (16, 16, 1))
    vectors[:, 8:] = 0  # background
    pair(tmp_path, vectors, as_png=as_png)
    (sample,) = NormalPairs(str(tmp_path), "test", axes, pipeline=PIPELINE)
    np.testing.assert_allclose(sample["normal"][:, 3, 2], OURS, atol=0.01)
    np.testing.assert_allclose(sample["normal"].norm(dim=0), 1, rtol=1e-5)
    assert sample["normal"][:, 3, 6].tolist() == [0, 0, -1]
    assert sample["mask"][0, 0].tolist() == [1] * 4 + [0] * 4
    assert sample["name"] == "a/1_image.jpg"


def test_wrong_axes_are_noticed(tmp_path):
    pair(tmp_path, np.tile(np.float32([0.6, -0.48, 0.64]), (16, 16, 1)))
    dataset = NormalPairs(str(tmp_path), "test", ("right", "up", "far"))
    with pytest.raises(DataError, match=r"most normals of .*1_normal.png' face away"):
        dataset[0]
    with pytest.raises(DataError, match=r"no axis is called 'rihgt': did you mean 'right'\?"):
        axes_to_ours(("rihgt", "up", "near"))
    with pytest.raises(DataError, match="one axis of each pair"):
        axes_to_ours(("right", "left", "near"))


def test_files_that_are_no_maps(tmp_path):
    with pytest.raises(DataError, match=r"test.image', which is missing"):
        NormalPairs(str(tmp_path), "test")
    pair(tmp_path, np.zeros((16, 16), np.float32), as_png=False)
    with pytest.raises(DataError, match=r"1_normal.npy': is float32 \(16, 16\), normals are"):
        NormalPairs(str(tmp_path), "test")[0]
    (tmp_path / "test" / "normal" / "a" / "1_normal.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"1_normal.npy': is not a NumPy array"):
        NormalPairs(str(tmp_path), "test")[0]
    (tmp_path / "test" / "normal" / "a" / "1_normal.npy").unlink()
    with pytest.raises(DataError, match="found no normal map"):
        NormalPairs(str(tmp_path), "test")
