"""Reconstructs faces from photos: alignment, then the model."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.utils import ProgressBar
from PIL import Image, ImageOps
from torch import Tensor

from .. import __version__
from ..config import load_config, load_model
from ..data.align import FaceAligner
from ..data.centerface import FoundFace
from ..data.crops import resizing, warp, whole
from ..data.photo import photo_size
from ..data.quality import Quality, quality
from ..engine.devices import chosen_device
from ..errors import ConfigError, WeightsError
from ..io.weights import load_weights, own_state, weights_digest
from ..model import FaceReconstructor, check_fidelity
from ..ops.threads import fork_safe_lock
from ..structures import Scene, on_cpu, unbatched
from ..viz.texture import FINEST
from ..zoo import DEFAULT_CONFIG, shipped_weights
from .inputs import Photo, is_one_photo, pixels_of
from .reconstruction import Collection, Reconstruction

BATCH = 16  # photos per forward pass
_building = fork_safe_lock()  # MMEngine's reading of configs changes what `import` does


class Crop(NamedTuple):
    """A face cut out of a photo.

    pixels (size, size, 3) uint8; matrix (2, 3) from pixels of the photo to those of the crop;
    fine (N, N, 3) uint8: the same square with more pixels, see `fine_crop`, or None; quality:
    signs that the face may be a poor one; photo_size: (width, height) of the photo in px.
    """

    pixels: np.ndarray
    matrix: np.ndarray
    fine: np.ndarray | None
    quality: Quality | None = None
    photo_size: tuple[int, int] | None = None


class Reconstructor:
    """A trained model that reconstructs faces from whole photos.

    Args:
        config: a config file.
        weights: a weight file; by default the shipped one of the config's name, if it has any.
        align: finds and crops faces; if False, each photo is one cropped face.
        every_face: returns all faces of a photo, not only the largest.
        device: cpu, cuda, cuda:1, ..., or auto for the GPU if there is one.
        fidelity: 0..1, weight of the photo's own pixels against the method's prior, if the method
            has this option; None keeps the config's value.
    """

    def __init__(
        self,
        config: str | Path,
        weights: str | Path | None = None,
        align: bool = True,
        every_face: bool = False,
        device: str = "cpu",
        fidelity: float | None = None,
    ) -> None:
        device = chosen_device(device)
        check_defaults()
        loaded = load_config(config)
        with _building:
            self.model: FaceReconstructor = load_model(loaded, device=device)
        if self.model.render is None:
            raise ConfigError(f"{config} has no model.render, so it draws no faces")
        if weights or own_state(self.model):
            load_weights(self.model, weights or shipped_weights(config))
        if fidelity is not None:
            self.model.set_fidelity(fidelity)
        self.device, self.every_face = device, every_face
        self._about = f"{__version__} {loaded.model} {align} {every_face} {fidelity}"
        self.size = self.model.image_size
        self.aligner = FaceAligner(self.size) if align else None

    def __call__(self, photo: Photo) -> list[Reconstruction]:
        """The faces in a photo: a file, its bytes, a Pillow image, an array or a tensor.

        Raises:
            UserError: the photo cannot be read, or holds no face.
        """
        return [self.faces([crop])[0] for crop in self.crops(photo)]

    def digest(self) -> str:
        """Hash of config, weights and options: equal hashes give equal faces."""
        return weights_digest(self._about, self.model).hex()

    def largest(self, photos: Sequence[Photo], progress: bool = False) -> list[Reconstruction]:
        """The largest face of each photo, in batches.

        Raises:
            UserError: as above; names the first such photo.
        """
        bar = ProgressBar(len(photos), file=sys.stderr) if progress and photos else None
        found = []
        for first in range(0, len(photos), BATCH):
            some = photos[first : first + BATCH]
            found += self.faces([self.crops(photo)[0] for photo in some])
            if bar is not None:
                bar.update(len(some))
        if bar is not None:
            print(file=sys.stderr, flush=True)
        return found

    def crops(self, photo: Photo) -> list[Crop]:
        """Each face's crop, the largest face first.

        Raises:
            UserError: as above.
        """
        check_defaults()
        pixels, name = pixels_of(photo), ""
        size = pixels.shape[1::-1]
        if isinstance(photo, (str, os.PathLike)):
            size, name = photo_size(photo), str(photo)
        elif isinstance(photo, Image.Image):
            size = ImageOps.exif_transpose(photo).size
        shrunk = resizing(pixels.shape[1] / size[0])  # large photos are
        return [
            crop._replace(matrix=crop.matrix @ shrunk, photo_size=size)
            for crop in self._cut(pixels, name)
        ]

    def collection(self, crops: Sequence[Crop]) -> Collection:
        """The common face of several crops of one person, and each crop's own.

        By a method that sees each photo alone, every crop gets the common face and counts 1; see
        `FaceReconstructor.predict_collection`.
        """
        one = torch.zeros(len(crops), dtype=torch.long, device=self.device)
        faces = self.faces(crops, one)
        share = self.model.shares(self._batch(crops), one).cpu()
        # Among photos that count the same, the one that shows the face most from ahead.
        best = max(zip(share.tolist(), faces), key=lambda each: (each[0], -turned(each[1])))[1]
        common = best.face.consistent
        moved = [each.face.displacement for each in faces if each.face.displacement is not None]
        face = replace(
            best.face,
            depth=common.depth,
            albedo=common.albedo,
            displacement=torch.stack(moved).mean(0) if moved else None,  # as the depth has it
        )
        scene = Scene(best.scene.target, face, self.model.render(face))
        shared = replace(best, scene=scene)
        return Collection(shared, faces, share)

    def _cut(self, pixels: np.ndarray, name: str) -> list[Crop]:
        if self.aligner is None:
            return [cut(pixels, whole(pixels.shape, self.size), self.size)]
        faces = self.aligner.faces(pixels, largest=not self.every_face, name=name)
        return [self.cut(pixels, face) for face in faces]

    def cut(self, pixels: np.ndarray, face: FoundFace) -> Crop:
        """The crop of a face that was found in a photo (H, W, 3) uint8 RGB."""
        return cut(pixels, FaceAligner(self.size).matrix(face), self.size, score=face.score)

    def _batch(self, crops: Sequence[Crop]) -> Tensor:
        pixels = np.stack([crop.pixels for crop in crops])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device) / 255

    def faces(self, crops: Sequence[Crop], person: Tensor | None = None) -> list[Reconstruction]:
        """The face in each crop, in one batch; equal `person` (N,) means the same person."""
        photo = self._batch(crops)
        if person is None:
            (scene,) = self.model.predict(photo)
        else:
            scene = self.model.predict_collection(photo, person)
        if not (scene.face.depth.isfinite().all() and scene.rendering.image.isfinite().all()):
            raise WeightsError("the model makes a face that is not finite: its weights are broken")
        return [
            Reconstruction(
                one,
                crop.matrix,
                self.model.render,
                crop.fine,
                quality=crop.quality,
                photo_size=crop.photo_size,
            )
            for one, crop in zip(unbatched(on_cpu(scene), len(crops)), crops)
        ]


def turned(face: Reconstruction) -> float:
    """Yaw and pitch of a face from ahead, in radians."""
    return face.face.view[0, :2].norm().item()


def reconstruct(
    photos: Photo | Sequence[Photo],
    config: str | Path = DEFAULT_CONFIG,
    weights: str | Path | None = None,
    align: bool = True,
    device: str = "cpu",
    progress: bool = False,
    fidelity: float | None = None,
) -> Reconstruction | list[Reconstruction]:
    """The largest face in a photo, or those in a list of photos.

    A photo is a path, the bytes of a file, a Pillow image, an array (H, W, 3) uint8 RGB or floats
    in [0, 1], or a tensor (3, H, W); a batch of arrays or tensors is a list. A list gives a list in
    the same order, computed in batches; `progress` shows a bar on standard error. The model is
    cached for the next call. Other arguments as in `Reconstructor`.

    Raises:
        UserError: a photo cannot be read or holds no face.
    """
    if fidelity is not None:
        check_fidelity(fidelity)  # before it is a key of the cache
    files = tuple(None if f is None else (str(f), _modified_ns(f)) for f in (config, weights))
    with _building:
        model = _cached_model(*files, align, chosen_device(device), fidelity)
    if is_one_photo(photos) or not isinstance(photos, Iterable):
        return model(photos)[0]  # raises for other types
    return model.largest(list(photos), progress)


def check_defaults() -> None:
    """Checks that torch's default dtype and device are those that parts need.

    Raises:
        ConfigError: they are not.
    """
    kind, device = torch.get_default_dtype(), torch.get_default_device()
    if kind != torch.float32 or device.type != "cpu":
        expected = "torch.float32 and cpu; the Reconstructor's device= says where it works"
        raise ConfigError(f"torch's defaults are {kind} and {device}, l2rkit requires {expected}")


def cut(photo: np.ndarray, matrix: np.ndarray, size: int, score: float = float("nan")) -> Crop:
    """The face of a photo (H, W, 3) uint8 by its matrix (2, 3); score: the detector's."""
    return Crop(
        warp(photo, matrix, size),
        matrix,
        fine_crop(photo, matrix, size),
        quality(photo, matrix, size, score),
        photo.shape[1::-1],
    )


def fine_crop(photo: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray | None:
    """(N, N, 3) uint8: a crop of `size` px, resampled at the photo's own resolution.

    matrix (2, 3) from pixels of the photo to those of the crop. The outermost pixel centres
    are kept. N is at most `FINEST`; None if it would not exceed `size`.
    """
    across = (size - 1) / float(np.hypot(matrix[0, 0], matrix[1, 0])) + 1
    fine = min(FINEST, round(across))
    return warp(photo, matrix * (fine - 1) / (size - 1), fine) if fine > size else None


@lru_cache(maxsize=4)
def _cached_model(
    config: tuple[str, int],
    weights: tuple[str, int] | None,
    align: bool,
    device: str,
    fidelity: float | None,
) -> Reconstructor:
    """A cached model; `config` and `weights` are (file, time of change)."""
    return Reconstructor(config[0], weights and weights[0], align, device=device, fidelity=fidelity)


def _modified_ns(path: str | Path) -> int:
    """Modification time of a file in ns; 0 if it is missing, which is an error later."""
    return Path(path).stat().st_mtime_ns if Path(path).is_file() else 0
