"""Landmarks pass through a pipeline with their photo, and are computed once."""

import numpy as np
import pytest

from l2rkit.data import (
    CentreCrop,
    CropBox,
    CropByLandmarks,
    Degrade,
    FindLandmarks,
    FlipFace,
    PackPhoto,
    ResizeFace,
)
from l2rkit.data.transforms import mirrored
from l2rkit.errors import ConfigError
from l2rkit.landmarks.points import MIRRORED

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)


class Detector:
    """Says that the points are those of a fixed face, and counts how often it is asked."""

    def __init__(self, version: int = 0) -> None:
        self.asked, self.VERSION = 0, version

    def __call__(self, photos):
        self.asked += len(photos)
        return np.random.default_rng(1).uniform(0, 40, (len(photos), 468, 3)).astype(np.float32)


def found(photo=PHOTO, **arguments):
    return FindLandmarks(Detector(), **arguments).transform(dict(img=photo))


def test_they_are_of_the_photo_before_it_is_degraded():
    seen = []

    def detector(photos):
        seen.extend(photos)
        return np.zeros((len(photos), 468, 3), np.float32)

    sample = FindLandmarks(detector).transform(dict(img=PHOTO, sample_idx=0))
    bad = Degrade(dict(type="DegradationLevel", name="severe"), seed=0).transform(sample)
    assert np.array_equal(seen[0], PHOTO) and not np.array_equal(bad["img"], PHOTO)
    packed = PackPhoto(labels=("source",)).transform(dict(bad, source="studio", other=1))
    assert packed["landmarks_3d"].shape == (468, 3)
    assert packed["source"] == "studio" and "other" not in packed


def test_a_mirrored_sample_has_the_landmarks_of_the_mirrored_photo():
    sample = found()
    turned = mirrored(sample)
    own, other = sample["landmarks_3d"], turned["landmarks_3d"]
    np.testing.assert_allclose(other[:, 0], 39 - own[MIRRORED, 0], rtol=1e-6)
    np.testing.assert_array_equal(other[:, 1:], own[MIRRORED, 1:])
    np.testing.assert_allclose(mirrored(turned)["landmarks_3d"], own, atol=1e-5)
    np.random.seed(0)
    assert FlipFace(1.0).transform(sample)["landmarks_3d"][0, 0] == other[0, 0]


@pytest.mark.parametrize("size", [20, 80, 64])
def test_a_resized_photo_has_its_landmarks_on_the_same_places(size):
    sample = found()
    there = ResizeFace(size).transform(sample)["landmarks_3d"]
    scale = size / 40
    edge = (sample["landmarks_3d"][:, :2] + 0.5) * scale  # from the picture's edge, in new pixels
    np.testing.assert_allclose(there[:, :2] + 0.5, edge, rtol=1e-5)
    np.testing.assert_allclose(there[:, 2], sample["landmarks_3d"][:, 2] * scale, rtol=1e-5)


def test_crops_go_before_landmarks():
    sample = dict(found(), landmarks=np.eye(5, 2))
    for step in (CentreCrop(20), CropBox((0, 0, 20, 20)), CropByLandmarks(20)):
        with pytest.raises(ConfigError, match="goes before FindLandmarks"):
            step.transform(sample)


def test_each_photo_is_looked_at_once(tmp_path):
    detector = Detector()
    find = FindLandmarks(detector, cache=str(tmp_path / "kept"))
    first = find.transform(dict(img=PHOTO))["landmarks_3d"]
    again = find.transform(dict(img=PHOTO))["landmarks_3d"]
    assert detector.asked == 1 and np.array_equal(first, again) and first.shape == (468, 3)
    find.transform(dict(img=PHOTO[::-1].copy()))
    assert detector.asked == 2
    other = Detector(version=1)  # which finds other landmarks
    FindLandmarks(other, cache=str(tmp_path / "kept")).transform(dict(img=PHOTO))
    assert other.asked == 1
