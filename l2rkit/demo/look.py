"""Processes one photo for the page: aligns, degrades, restores in 2D and reconstructs it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from ..apis.reconstruction import PICTURE, Reconstruction
from ..apis.reconstructor import Reconstructor
from ..data.align import FaceAligner, NoFaceError
from ..data.arrays import as_photo
from ..data.centerface import FoundFace
from ..data.photo import read_photo
from ..data.quality import Quality, quality
from ..data.transforms import to_tensor
from ..degrade import DegradationLevel
from ..degrade.degradation import rng_of
from ..errors import UserError, near
from ..model import check_fidelity
from ..ops.resize import resized
from ..registry import RESTORERS
from ..viz.formats import glb, preview
from ..viz.mesh import to_bytes
from ..viz.panel import depth_picture, normal_picture
from .choices import NOTHING, SAMPLES, shipped_choices

SEED = 0  # of degradations, so that equal choices give equal pictures
Chosen = TypeVar("Chosen")
_one_at_a_time = Lock()  # models are shared, and have the fidelity as state


@dataclass(frozen=True, eq=False)
class Look:
    """The results for one photo.

    pictures: (PICTURE, PICTURE, 3) uint8 by title, in the order of the pipeline, without skipped
    steps; before, after: the method's input without and with the rendered face; glb: the content
    of a mesh file; preview: of a mesh file that looks the same under any light; flags: of
    `l2rkit.data.quality`, for the photo before it is degraded.
    """

    pictures: dict[str, np.ndarray]
    before: np.ndarray
    after: np.ndarray
    glb: bytes
    preview: bytes
    flags: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The flags in one line, such as "quality: occluded, cut"; "" without any."""
        return f"quality: {', '.join(self.flags)}" if self.flags else ""


def look(
    photo: str | Path | np.ndarray,
    level: str,
    method: str,
    restorer: str = NOTHING,
    fidelity: float = 1.0,
    which: int = 1,
) -> Look:
    """Reconstructs a face in a photo (a path, or (H, W, 3) uint8 RGB).

    level, method, restorer: names of `shipped_choices`; which: 1 is the largest face, 2 the next,
    in the order of `faces_in`. The photo is degraded and restored at the method's own size, as for
    the leaderboard, and rounded to 8 bits after each step. Only methods with a fidelity use it.

    Raises:
        UserError: the photo cannot be read or has no face, or a choice does not exist.
    """
    known = shipped_choices()
    config = chosen("method", method, known.methods)
    part = chosen("restorer", restorer, known.restorers)
    chosen("level", level, dict.fromkeys(known.levels))
    check_fidelity(fidelity)
    with _one_at_a_time:
        model = reconstructor(config)
        crop, noted = crop_of(photo, model.size, which)
        pictures = {"photo": crop}
        seen = crop
        if level != "clean":
            pictures["degraded"] = seen = degraded(seen, level)
        if part is not None:
            pictures["restored"] = better = restored(seen, restorer)
            seen = at_size(better, model.size)
        if method in known.balanced:
            model.model.set_fidelity(fidelity)
        (face,) = model(seen)
    drawn = np.asarray(face.paste(Image.fromarray(seen)))
    pictures |= {"drawn": drawn, **maps(face)}
    large = {title: enlarged(picture) for title, picture in pictures.items()}
    before = large.get("degraded", large["photo"])
    made = glb(face.face), preview(face.face)
    return Look(large, before, large["drawn"], *made, noted.flags)


def crop_of(
    photo: str | Path | np.ndarray, size: int, which: int = 1
) -> tuple[np.ndarray, Quality]:
    """(size, size, 3) uint8: one of the faces in a photo, cropped; and the face's quality.

    Raises:
        UserError: the photo cannot be read, or has fewer faces.
    """
    name, pixels = _read(photo)
    aligner = FaceAligner(size)
    if which == 1:  # is searched alone, as by `reconstruct`
        faces = aligner.faces(pixels, largest=True, name=name)
    else:
        faces = _all(aligner, pixels, name)
    if not 1 <= which <= len(faces):
        raise UserError(f"face {which} was asked for, and there are {len(faces)} in the photo")
    face = faces[which - 1]
    crop, matrix = aligner.crop(pixels, face)
    return crop, quality(pixels, matrix, size, face.score)


def faces_in(photo: str | Path | np.ndarray, size: int) -> list[np.ndarray]:
    """(size, size, 3) uint8: all faces in a photo, cropped, first the one that is reconstructed.

    Raises:
        UserError: the photo cannot be read, or holds no face.
    """
    name, pixels = _read(photo)
    aligner = FaceAligner(size)
    return [aligner.crop(pixels, face)[0] for face in _all(aligner, pixels, name)]


def _all(aligner: FaceAligner, pixels: np.ndarray, name: str | Path) -> list[FoundFace]:
    """All faces; first the largest as a search for it alone finds it, which may be another one."""
    found = aligner.faces(pixels, name=name)
    try:
        (first,) = aligner.faces(pixels, largest=True)
    except NoFaceError:  # they are small, and a search for one alone is coarser
        return found
    nearest = min(found, key=lambda face: float(np.abs(face.box - first.box).max()))
    return [first, *(face for face in found if face is not nearest)]


def _read(photo: str | Path | np.ndarray) -> tuple[str | Path, np.ndarray]:
    """The name of a photo for errors, and its pixels (H, W, 3) uint8."""
    if isinstance(photo, np.ndarray):
        return "", as_photo(photo)
    return photo, read_photo(photo)


def warmed() -> None:
    """Loads the default method and runs it once, which compiles its kernels."""
    known = shipped_choices()
    look(SAMPLES[0], known.levels[0], next(iter(known.methods)))


def maps(face: Reconstruction) -> dict[str, np.ndarray]:
    """Pictures (H, W, 3) uint8: canonical albedo, and normals and depth in the photo's view."""
    own = face.scene.rendering
    shown = {
        "albedo": face.face.albedo,
        "normals": normal_picture(own.depth),
        "depth": depth_picture(own.depth),
    }
    return {title: to_bytes(picture[0]) for title, picture in shown.items()}


def degraded(photo: np.ndarray, level: str) -> np.ndarray:
    """The photo (H, W, 3) uint8 degraded at a level."""
    bad = DegradationLevel(level).on_image(np.float32(photo) / 255, rng_of(SEED))
    return np.rint(bad * 255).astype(np.uint8)


@torch.no_grad()
def restored(photo: np.ndarray, restorer: str) -> np.ndarray:
    """The photo (H, W, 3) uint8 restored in 2D, at the restorer's output size."""
    return to_bytes(restorer_of(restorer)(to_tensor(photo)[None])[0])


def at_size(photo: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8: the photo resized as in `FaceReconstructor.restored`."""
    return to_bytes(resized(to_tensor(photo)[None], (size, size), "area")[0])


def enlarged(picture: np.ndarray) -> np.ndarray:
    image = Image.fromarray(picture).resize((PICTURE, PICTURE), Image.Resampling.BICUBIC)
    return np.asarray(image)


@cache
def reconstructor(config: str) -> Reconstructor:
    """The method with its shipped weights, for cropped photos."""
    return Reconstructor(config, align=False)


@cache
def restorer_of(name: str) -> nn.Module:
    return RESTORERS.build(shipped_choices().restorers[name]).eval()


def chosen(what: str, name: str, known: dict[str, Chosen]) -> Chosen:
    """The choice called `name`.

    Raises:
        UserError: there is none.
    """
    if name not in known:
        raise UserError(f"no {what} is called '{name}'{near(str(name), known)}")
    return known[name]
