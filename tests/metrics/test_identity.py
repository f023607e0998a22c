"""Crops as dlib would cut them, and codes that know people apart from everything else."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from l2rkit.data.align import TEMPLATE, fit_similarity, warp
from l2rkit.errors import PartError, WeightsError
from l2rkit.metrics.identity import CHIP, EYES, FILE, PADDING, DlibIdentity, chip, packaged_weights

WITHOUT = "dlib is not installed: pip install dlib-bin face-recognition-models"
# dlib's template: outer and inner corner of the eye on the right, then on the left, base of nose.
POINTS = [[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]]
# Eyes, nose tip and mouth corners in two of the sample photos, px.
LANDMARKS = {
    "portrait_3": [[151.9, 205.8], [232.0, 206.4], [190.0, 255.6], [155.2, 282.9], [228.0, 283.3]],
    "head": [[103.0, 76.1], [185.5, 65.7], [160.9, 118.4], [124.6, 177.1], [191.3, 169.3]],
}
SAMPLES = Path(__file__).parents[2] / "l2rkit" / "zoo" / "samples"


def smooth(size: int) -> np.ndarray:
    """A picture without edges, (size, size, 3) uint8."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def test_the_eyes_of_a_crop_come_where_dlib_has_them() -> None:
    points = np.array(POINTS)
    np.testing.assert_allclose(EYES, [points[2:4].mean(0), points[:2].mean(0)], atol=1e-4)
    for size in (64, 128, 300):
        crop = np.zeros((size, size, 3), np.uint8)
        for x, y in ((0.31, 0.385), (0.69, 0.385)):  # the template's eyes
            cv2.circle(
                crop, (round(x * size - 0.5), round(y * size - 0.5)), size // 16, [255] * 3, -1
            )
        seen = chip(crop)[..., 0].astype(float)
        assert seen.shape == (CHIP, CHIP)
        for half, eye in ((slice(None, 75), EYES[0]), (slice(75, None), EYES[1])):
            part = seen[:, half] / seen[:, half].sum()
            middle = np.array([(part.sum(0) * np.arange(75)).sum() + (half.start or 0), 0])
            middle[1] = (part.sum(1) * np.arange(CHIP)).sum()
            wanted = (eye + PADDING) / 1.5 * CHIP - 0.5
            assert abs(middle - wanted).max() < 0.75 * CHIP / size + 0.5


@pytest.mark.parametrize("size", [64, 128])
def test_chips_are_those_that_dlib_cuts(size: int) -> None:
    dlib = pytest.importorskip("dlib", reason=WITHOUT)
    # dlib's five points where our crop has them: back from the eyes of its chip to ours
    step = (0.69 - 0.31) / (EYES[1, 0] - EYES[0, 0])
    points = (np.array(POINTS) - EYES.mean(0)) * step + [0.5, 0.385]
    place = dlib.points([dlib.point(*map(round, p)) for p in (points * size * 8 - 0.5).tolist()])
    crop, box = smooth(size), dlib.rectangle(0, 0, size * 8, size * 8)
    large = cv2.resize(crop, (size * 8, size * 8), interpolation=cv2.INTER_LINEAR)
    wanted = dlib.get_face_chip(large, dlib.full_object_detection(box, list(place)), CHIP, PADDING)
    inside = np.s_[8:124, 12:138]  # where both see the crop
    off = np.abs(chip(crop)[inside].astype(int) - wanted[inside])
    assert off.mean() < 2 and off.max() < 10
    mirrored = chip(crop[:, ::-1])[inside].astype(int)
    assert np.abs(mirrored - wanted[inside]).mean() > 20  # and nothing else would do


@pytest.fixture(scope="module")
def identity() -> DlibIdentity:
    pytest.importorskip("dlib", reason=WITHOUT)
    try:
        return DlibIdentity()
    except PartError as error:
        pytest.skip(str(error))


def test_codes_tell_people_apart(identity: DlibIdentity) -> None:
    crops = []
    for name, points in LANDMARKS.items():
        photo = np.asarray(Image.open(SAMPLES / f"{name}.jpg").convert("RGB"))
        crops.append(warp(photo, fit_similarity(points, TEMPLATE * 128 - 0.5), 128))
    photos = torch.stack([torch.from_numpy(crop).movedim(2, 0) / 255 for crop in crops])
    codes = identity(photos)
    assert codes.shape == (len(crops), 128) and codes.dtype == torch.float32
    torch.testing.assert_close(codes.norm(dim=1), torch.ones(len(crops)))
    torch.testing.assert_close(codes[:1], identity(photos[:1]))
    # in the mirror, of half the size and darker, yet the same people
    other = torch.nn.functional.interpolate(photos.flip(3), 64, mode="area") * 0.8
    alike = codes @ identity(other).T
    assert alike.diagonal().min() > 0.95 and alike.fill_diagonal_(0).max() < 0.9


def test_crops_are_square(identity: DlibIdentity) -> None:
    with pytest.raises(PartError, match=r"wants crops \(B, 3, S, S\), got \(1, 3, 8, 9\)"):
        identity(torch.rand(1, 3, 8, 9))


def test_what_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("l2rkit.metrics.identity.PACKAGE", "no_such_package")
    with pytest.raises(PartError, match="`pip install face-recognition-models`") as said:
        DlibIdentity()
    assert FILE in str(said.value) and "\n" not in str(said.value)
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(PartError, match="`pip install dlib-bin`"):
        DlibIdentity(str(tmp_path / "x.dat"))


def test_the_package_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "carries_weights"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('was run')")
    (package / "models" / FILE).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("l2rkit.metrics.identity.PACKAGE", "carries_weights")
    assert packaged_weights() == package / "models" / FILE


def test_other_files_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason=WITHOUT)
    with pytest.raises(WeightsError, match="no weights at"):
        DlibIdentity(str(tmp_path / "x.dat"))
    (tmp_path / "x.dat").write_text("no network")
    with pytest.raises(WeightsError, match="is not dlib's face recogniser") as said:
        DlibIdentity(str(tmp_path / "x.dat"))
    assert "\n" not in str(said.value)
