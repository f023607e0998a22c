"""The steps of the data sets' pipelines, from a picture file to a training sample.

A sample is a dict. Its pictures are (H, W, 3) or (H, W): `img` and `albedo` uint8 RGB, `depth`
float32 (larger is farther), `normal` float32 unit vectors, `mask` and `occluder` uint8, 0 or 1.
`Degrade` keeps the clean photo as `clean`, uint8 RGB. `landmarks_3d` (468, 3) are px of the
pictures, see `FindLandmarks`. `PackPhoto` converts all to tensors.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from l2rkit.data.align import TEMPLATE, fit_similarity, warp
from l2rkit.data.photo import LONGEST_SIDE, photo_size, read_photo
from l2rkit.degrade import Degradation
from l2rkit.degrade.degradation import rng_of
from l2rkit.errors import ConfigError
from l2rkit.landmarks.face_mesh import mirrored_landmarks
from l2rkit.registry import DEGRADATIONS
from l2rkit.structures import MIRRORED_LIGHT, MIRRORED_VIEW

PICTURES = ("img", "clean", "depth", "albedo", "normal", "mask", "occluder")


def crop_box(picture: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    """The (height, width, ...) part from pixel (x, y) on; edges are replicated outside."""
    rows = np.clip(np.arange(y, y + height), 0, picture.shape[0] - 1)
    cols = np.clip(np.arange(x, x + width), 0, picture.shape[1] - 1)
    return picture[rows[:, None], cols]


def resize_photo(photo: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3): the photo, by area averages for downsampling and bicubic for upsampling."""
    method = cv2.INTER_AREA if min(photo.shape[:2]) >= size else cv2.INTER_CUBIC
    return cv2.resize(photo, (size, size), interpolation=method)


def resize_nearest(picture: np.ndarray, size: int) -> np.ndarray:
    """(size, size, ...): the picture by nearest neighbours of pixel centres.

    For depth and normals: averages at a silhouette would lie between face and background.
    """
    rows, cols = (
        np.minimum(((np.arange(size) + 0.5) * side / size).astype(int), side - 1)
        for side in picture.shape[:2]
    )
    return picture[rows[:, None], cols]


def _before_landmarks(step: BaseTransform, results: dict) -> None:
    """Raises ConfigError if the sample already has landmarks, which cropping would invalidate."""
    if "landmarks_3d" in results:
        raise ConfigError(f"{type(step).__name__} goes before FindLandmarks, not after it")


@TRANSFORMS.register_module()
class LoadPhoto(BaseTransform):
    """Adds `img`, read from the file `img_path`."""

    def transform(self, results: dict) -> dict:
        return dict(results, img=read_photo(results["img_path"]))


@TRANSFORMS.register_module()
class CropBox(BaseTransform):
    """Crops every picture to the sample's `crop_box`, or else to `box`: (x, y, width, height) px.

    Outside a picture its edge is replicated.
    """

    def __init__(self, box: tuple[int, int, int, int] | None = None):
        self.box = box

    def transform(self, results: dict) -> dict:
        box = results.get("crop_box", self.box)
        if box is None:
            raise ValueError("CropBox requires a box, or a 'crop_box' in each sample; got neither")
        _before_landmarks(self, results)
        return dict(results, **{k: crop_box(results[k], *box) for k in PICTURES if k in results})


@TRANSFORMS.register_module()
class CentreCrop(BaseTransform):
    """Crops every picture to its central `size` x `size` px (Unsup3D: 170 of BFM's 256)."""

    def __init__(self, size: int):
        self.size = size

    def transform(self, results: dict) -> dict:
        _before_landmarks(self, results)
        size = self.size
        cut = {}
        for key in PICTURES:
            if key in results:
                height, width = results[key].shape[:2]
                # halves round down, to the top left, for pictures and depth
                x, y = (width - size) // 2, (height - size) // 2
                cut[key] = crop_box(results[key], x, y, size, size)
        return dict(results, **cut)


@TRANSFORMS.register_module()
class CropByLandmarks(BaseTransform):
    """Crops `img` to the (image_size, image_size, 3) face, as FaceAligner does by `landmarks`.

    `landmarks` (5, 2) are px of the file's upright picture: eyes, nose tip, mouth corners, the left
    one of each pair first.
    """

    def __init__(self, image_size: int):
        self.image_size = image_size

    def transform(self, results: dict) -> dict:
        if "landmarks" not in results:
            raise ValueError("CropByLandmarks requires 'landmarks' in each sample; got none")
        _before_landmarks(self, results)
        if others := [key for key in PICTURES[1:] if key in results]:
            raise ValueError(f"CropByLandmarks cuts 'img' alone; the sample also has {others}")
        points, photo = np.asarray(results["landmarks"], np.float64), results["img"]
        if max(photo.shape[:2]) == LONGEST_SIDE:  # `read_photo` downsampled a larger one
            scale = LONGEST_SIDE / max(photo_size(results["img_path"]))
            points = (points + 0.5) * scale - 0.5
        matrix = fit_similarity(points, TEMPLATE * self.image_size - 0.5)
        return dict(results, img=warp(photo, matrix, self.image_size))


@TRANSFORMS.register_module()
class ResizeFace(BaseTransform):
    """Resizes every picture to `image_size` px; see `resize_photo` and `resize_nearest`."""

    def __init__(self, image_size: int):
        self.image_size = image_size

    def transform(self, results: dict) -> dict:
        resize = dict(img=resize_photo, clean=resize_photo, albedo=resize_photo)
        resized = {
            key: resize.get(key, resize_nearest)(results[key], self.image_size)
            for key in PICTURES
            if key in results
        }
        if "landmarks_3d" in results:
            height, width = results["img"].shape[:2]
            scale = self.image_size / np.array([width, height, width], np.float32)
            edge = np.array([0.5, 0.5, 0], np.float32)  # from pixel centres to edges
            resized["landmarks_3d"] = (results["landmarks_3d"] + edge) * scale - edge
        return dict(results, **resized)


@TRANSFORMS.register_module()
class FlipFace(BaseTransform):
    """Mirrors a sample left to right with probability `prob`, including depth, view and light.

    Random numbers come from NumPy's global generator, which MMEngine seeds in every worker.
    """

    def __init__(self, prob: float = 0.5):
        self.prob = prob

    def transform(self, results: dict) -> dict:
        return mirrored(results) if np.random.random() < self.prob else results


def mirrored(sample: dict) -> dict:
    """The mirrored sample."""
    changed = {key: sample[key][:, ::-1].copy() for key in PICTURES if key in sample}
    if "normal" in changed:
        changed["normal"] = changed["normal"] * np.array([-1, 1, 1], np.float32)
    if "view" in sample:
        changed["view"] = sample["view"] * np.float32(MIRRORED_VIEW)
    if "landmarks_3d" in sample:
        width = sample["img"].shape[1]
        changed["landmarks_3d"] = mirrored_landmarks(sample["landmarks_3d"][None], width)[0]
    if "light" in sample:
        changed["light"] = sample["light"] * np.float32(MIRRORED_LIGHT)
    return dict(sample, **changed)


@TRANSFORMS.register_module()
class Degrade(BaseTransform):
    """Degrades `img` by OpenCV, and keeps the clean photo as `clean`.

    Put it after ResizeFace, as degradations have sizes in px. Other steps transform both photos. A
    second Degrade keeps the first one's `clean`.

    Args:
        degradation: a part for DEGRADATIONS, such as dict(type=DegradationRecipe, name="l2r").
        seed: None draws from NumPy's global generator, which MMEngine seeds in every worker. With a
            seed, the draw depends on (seed, `sample_idx`) only, so that evaluations have fixed
            photos. A subset that does not start at sample 0 has other indices and draws.

    Raises:
        ConfigError: the part is not a degradation, or the seed is negative.
    """

    def __init__(self, degradation: dict | Degradation, seed: int | None = None):
        self.degradation, self.seed = DEGRADATIONS.build(degradation), seed
        if not isinstance(self.degradation, Degradation):
            got = type(self.degradation).__name__
            raise ConfigError(f"Degrade expects a degradation, not a {got}")
        if seed is not None and seed < 0:
            raise ConfigError(f"Degrade: seed is a whole number from 0 on or None, not {seed}")

    def transform(self, results: dict) -> dict:
        if self.seed is None:
            key = int(np.random.randint(2**62, dtype=np.int64))
        elif "sample_idx" in results:
            key = [self.seed, results["sample_idx"]]
        else:
            raise ValueError("Degrade with a seed requires 'sample_idx' in each sample; got none")
        bad = self.degradation.on_image(np.float32(results["img"]) / 255, rng_of(key))
        clean = results.get("clean", results["img"])
        return dict(results, img=np.rint(bad * 255).astype(np.uint8), clean=clean)


@TRANSFORMS.register_module()
class PackPhoto(BaseTransform):
    """Tensors for torch's `default_collate`: `photo`, and others that the sample has.

    photo, clean, albedo (3, H, W) float32 in [0, 1]; depth (1, H, W), normal (3, H, W), mask
    and occluder (1, H, W) 0 or 1, light (5,), view (6,), landmarks_3d (468, 3) float32; person ()
    int64; name str.

    Args:
        labels: other keys to keep, of numbers or strings, such as `source` for metrics.
    """

    def __init__(self, labels: Sequence[str] = ()):
        self.labels = tuple(labels)

    def transform(self, results: dict) -> dict:
        packed = dict(photo=to_tensor(results["img"]))
        for key in ("clean", "albedo", "depth", "normal"):
            if key in results:
                packed[key] = to_tensor(results[key])
        for key in ("mask", "occluder"):
            if key in results:
                packed[key] = to_tensor(np.float32(results[key]))
        for key in ("light", "view", "landmarks_3d"):
            if key in results:
                packed[key] = torch.as_tensor(np.asarray(results[key], np.float32))
        if "person" in results:
            packed["person"] = torch.tensor(int(results["person"]))
        if "name" in results:
            packed["name"] = str(results["name"])
        return packed | {label: results[label] for label in self.labels if label in results}


def to_tensor(picture: np.ndarray) -> torch.Tensor:
    """(C, H, W) float32 of a (H, W, C) or (H, W) picture; uint8 is scaled to [0, 1]."""
    planes = np.atleast_3d(picture).transpose(2, 0, 1)
    tensor = torch.from_numpy(np.ascontiguousarray(planes)).float()
    return tensor / 255 if picture.dtype == np.uint8 else tensor
