"""From one bad photo to a face: alignment, model, and what is written for each face."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .config import load_config, load_model
from .data.align import FaceAligner, warp
from .data.photo import photo_size, read_photo
from .errors import ConfigError
from .face import BACKGROUND, Face, Scene, on_cpu, one_by_one
from .files import write_whole
from .geometry import normals
from .model import FaceReconstructor
from .viz.mesh import glb
from .viz.panel import panel
from .zoo import shipped_weights

DEFAULT_CONFIG = "configs/unsup3d/unsup3d_openfaces.py"
Crop = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One face of one photo.

    scene: a batch of one, on the CPU; crop (2, 3): from pixels of the photo to pixels of
    `scene.photo`; render: draws it in other views.
    """

    scene: Scene
    crop: np.ndarray
    render: nn.Module

    @property
    def face(self) -> Face:
        return self.scene.face

    def arrays(self) -> dict[str, np.ndarray]:
        """What `save` writes into the `.npz` file, by name."""
        face, own = self.face, self.scene.own
        displacement = face.displacement
        return {
            "image": _hwc(self.scene.photo),
            "depth": _hw(own.depth.masked_fill(own.depth >= BACKGROUND, float("nan"))),
            "normal": _hwc(normals(own.depth)),
            "albedo": _hwc(face.albedo),
            "canonical_depth": _hw(face.depth),
            "displacement": _hw(
                torch.zeros_like(face.depth) if displacement is None else displacement
            ),
            "view": face.view[0].numpy(),
            "light": face.light.packed()[0].numpy(),
            "crop": self.crop,
        }

    def save(self, folder: str | Path, name: str) -> None:
        """Writes `name.npz`, `name.glb` and `name.png` into `folder`, each whole or not at all."""
        npz, png = io.BytesIO(), io.BytesIO()
        np.savez_compressed(npz, **self.arrays())
        panel(self.scene.photo, self.face, self.scene.own, self.render).save(png, "PNG")
        Path(folder).mkdir(parents=True, exist_ok=True)
        contents = {"npz": npz.getvalue(), "glb": glb(self.face), "png": png.getvalue()}
        for suffix, content in contents.items():
            write_whole(Path(folder) / f"{name}.{suffix}", content)


@dataclass(frozen=True, eq=False)
class Collection:
    """Photos of one person, seen together.

    shared: the face that they have in common, as it explains the photo that counts most;
    photos: each photo's own face; share (N,): how much each counts, 1 as much as the others.
    """

    shared: Reconstruction
    photos: list[Reconstruction]
    share: Tensor


class Reconstructor:
    """A trained model that takes photos as they come.

    Args:
        config: a config file.
        weights: a weight file; by default the shipped one of the config's name.
        align: find faces and crop them; else each photo is taken as one face, already cropped.
        every_face: all faces of a photo, not only the largest.
    """

    def __init__(
        self,
        config: str | Path,
        weights: str | Path | None = None,
        align: bool = True,
        every_face: bool = False,
        device: str = "cpu",
    ) -> None:
        loaded = load_config(config)
        self.model: FaceReconstructor = load_model(
            loaded, weights or shipped_weights(config), device
        )
        self.device, self.every_face = device, every_face
        self.size = self.model.image_size
        self.aligner = FaceAligner(self.size) if align else None

    def __call__(self, photo: str | Path | np.ndarray) -> list[Reconstruction]:
        """The faces in a photo: a path, or (H, W, 3) uint8 RGB.

        Raises:
            UserError: the photo cannot be read, or holds no face.
        """
        return [self._faces([crop])[0] for crop in self.crops(photo)]

    def crops(self, photo: str | Path | np.ndarray) -> list[Crop]:
        """Each face's crop (size, size, 3) uint8, and the matrix (2, 3) from photo to crop pixels.

        Raises:
            UserError: as above.
        """
        if isinstance(photo, np.ndarray):
            return self._cut(photo, "")
        pixels = read_photo(photo)
        shrunk = np.diag([pixels.shape[1] / photo_size(photo)[0]] * 2 + [1])  # huge photos are
        return [(crop, matrix @ shrunk) for crop, matrix in self._cut(pixels, str(photo))]

    def collection(self, crops: Sequence[Crop]) -> Collection:
        """The face that crops of one person have in common, and what each adds.

        Raises:
            ConfigError: the method takes each photo by itself.
        """
        if not hasattr(self.model.decompose, "shares"):
            name = type(self.model.decompose).__name__
            raise ConfigError(f"a collection wants a decomposer of many photos; {name} takes one")
        one = torch.zeros(len(crops), dtype=torch.long, device=self.device)
        faces = self._faces(crops, one)
        share = self.model.decompose.shares(self._batch(crops), one).cpu()
        best = faces[int(share.argmax())]
        common = best.face.consistent
        face = replace(best.face, depth=common.depth, albedo=common.albedo)
        scene = Scene(best.scene.photo, face, self.model.render(face))
        return Collection(Reconstruction(scene, best.crop, best.render), faces, share)

    def _cut(self, pixels: np.ndarray, name: str) -> list[Crop]:
        if self.aligner is None:
            matrix = whole(pixels.shape, self.size)
            return [(warp(pixels, matrix, self.size), matrix)]
        faces = self.aligner.faces(pixels, largest=not self.every_face, name=name)
        return [self.aligner.crop(pixels, face) for face in faces]

    def _batch(self, crops: Sequence[Crop]) -> Tensor:
        pixels = np.stack([crop for crop, _ in crops])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device) / 255

    def _faces(self, crops: Sequence[Crop], person: Tensor | None = None) -> list[Reconstruction]:
        (scene,) = self.model.predict(self._batch(crops), person)
        return [
            Reconstruction(scene, matrix, self.model.render)
            for scene, (_, matrix) in zip(one_by_one(on_cpu(scene), len(crops)), crops)
        ]


def reconstruct(
    photo: str | Path | np.ndarray,
    config: str | Path = DEFAULT_CONFIG,
    weights: str | Path | None = None,
) -> Reconstruction:
    """The largest face in a photo: a path, or (H, W, 3) uint8 RGB. See `Reconstructor`."""
    return Reconstructor(config, weights)(photo)[0]


def whole(shape: tuple[int, ...], size: int) -> np.ndarray:
    """(2, 3): the matrix that fits the middle square of a picture (H, W, ...) into size pixels."""
    height, width = shape[:2]
    scale = size / min(height, width)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([np.eye(2) * scale, (size - 1) / 2 - scale * middle])


def _hw(image: Tensor) -> np.ndarray:
    return image[0, 0].numpy()


def _hwc(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).contiguous().numpy()
