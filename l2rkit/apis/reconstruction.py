"""The result for one face of a photo: arrays, meshes, pictures and files."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
from PIL import Image, ImageOps
from torch import Tensor, nn

from ..data.quality import Quality
from ..errors import UserError, near
from ..geometry import normals, view_of
from ..io.files import marked, png, write_atomic
from ..io.names import file_name
from ..ops.resize import aligned
from ..structures import BACKGROUND, Face, Light, Scene
from ..viz.alone import FaceAlone
from ..viz.formats import MESHES
from ..viz.mesh import mesh_of, to_bytes
from ..viz.panel import TILE, on_white, panel
from ..viz.paste import faded, pasted
from ..viz.texture import texture
from ..viz.turntable import gif, light_from, relit, turntable

PICTURE, MOVING = 256, 192  # default size in px of still pictures, and of animations
ANIMATIONS = {"turntable": ".gif", "relight": "-relit.gif"}


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One face of one photo.

    scene: a batch of one, on the CPU; crop (2, 3): matrix from pixels of the photo to pixels of
    `scene.target`; renderer: the method's renderer; fine (N, N, 3) uint8: the same square of the
    photo with more pixels and the same outermost pixel centres, or None where the photo has no
    more; photo_light: the photo's light, if the scene is under another one;
    quality: signs that the face may be a poor one; photo_size: (width, height) of the photo in px.
    """

    scene: Scene
    crop: np.ndarray
    renderer: nn.Module
    fine: np.ndarray | None = None
    photo_light: Light | None = None
    quality: Quality | None = None
    photo_size: tuple[int, int] | None = None

    def __repr__(self) -> str:
        size, (yaw, pitch) = self.face.size, self.face.view[0, [1, 0]].rad2deg().tolist()
        return f"<Reconstruction: {size} x {size} px, yaw {yaw:.0f} deg, pitch {pitch:.0f} deg>"

    @property
    def face(self) -> Face:
        return self.scene.face

    @property
    def flags(self) -> tuple[str, ...]:
        """Why the face may be a poor one, such as "occluded"; see `l2rkit.data.quality`."""
        return self.quality.flags if self.quality else ()

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that `save` writes to the `.npz` file, by name.

        `depth` is NaN where the photo shows no face (`numpy.isfinite(depth)` is the face's mask);
        all other arrays are finite. `region` is there if the method knows it. `quality` (N,) has
        the names of the flags that were raised, see `l2rkit.data.quality.FLAGS`.
        """
        face, own = self.face, self.scene.rendering
        displacement, region = face.displacement, face.region
        known = {} if region is None else {"region": _hw(region).astype(np.uint8)}
        arrays = known | {
            "image": _hwc(self.scene.target),
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
            "quality": np.array(self.flags, dtype="U16"),
        }
        return {name: np.array(array) for name, array in arrays.items()}  # copies

    def mesh(
        self,
        keep_background: bool = False,
        watertight: bool = False,
        width_mm: float | None = None,
        texture_size: int | None = None,
    ) -> trimesh.Trimesh:
        """The face as a textured mesh, see `l2rkit.viz.mesh_of` and `texture`."""
        colours = self.texture(texture_size)
        return mesh_of(self.face, 0, keep_background, watertight, width_mm, colours)

    def texture(self, size: int | None = None) -> Tensor:
        """(1, 3, size, size) in [0, 1]: the albedo with the detail of a sharp photo.

        Its default size is that of the face in the photo, up to `FINEST`, or that of the albedo, if
        it is larger. See `l2rkit.viz.texture`.

        Raises:
            UserError: `size` is below 2.
        """
        if size is not None and size < 2:
            raise UserError(f"a texture has 2 px or more across, not {size}")
        if self.fine is None:
            return aligned(self.face.albedo, size or self.face.size)
        fine = torch.from_numpy(self.fine).permute(2, 0, 1)[None] / 255
        as_taken = self.face.with_light(self.photo_light or self.face.light)
        return texture(as_taken, fine, size or max(self.face.size, len(self.fine)))

    def render(
        self, yaw_deg: float = 0.0, pitch_deg: float = 0.0, size: int = PICTURE
    ) -> Image.Image:
        """A picture of the face on white, `size` px wide, turned from the frontal view.

        A Pillow image: `numpy.asarray` of it is (size, size, 3) uint8 RGB.
        """
        seen = FaceAlone(size)(self.face.with_view(view_of(yaw_deg, pitch_deg)))
        return Image.fromarray(to_bytes(on_white(seen.image, seen.mask)[0]))

    def with_light(self, light: Light) -> "Reconstruction":
        """The same face, rendered under another light."""
        face = self.face.with_light(light)
        scene = replace(self.scene, face=face, rendering=self.renderer(face))
        return replace(self, scene=scene, photo_light=self.photo_light or self.face.light)

    def relight(
        self,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
        ambient: float | None = None,
        diffuse: float | None = None,
    ) -> "Reconstruction":
        """The same under a light from the right (yaw) and from above (pitch) of the frontal face.

        The light turns with the face, as `Light.direction` does.

        Omitted strengths are those of the photo; if one alone is given, the other is such that
        their sum is the photo's, which keeps the face as bright.

        Raises:
            UserError: a strength is negative or not finite.
        """
        for name, strength in dict(ambient=ambient, diffuse=diffuse).items():
            if strength is not None and not 0 <= strength < math.inf:
                raise UserError(f"{name} is 0 or more, not {strength}")
        own = self.face.light
        whole = own.ambient + own.diffuse
        if ambient is None:
            flat = own.ambient if diffuse is None else (whole - diffuse).clamp(min=0)
        else:
            flat = torch.full_like(whole, ambient)
        lit = (whole - flat).clamp(min=0) if diffuse is None else torch.full_like(whole, diffuse)
        return self.with_light(light_from(yaw_deg, pitch_deg, flat, lit))

    def paste(self, photo: Image.Image) -> Image.Image:
        """The whole upright photo with the rendered face blended into it.

        photo: the photo of this face. Size, alpha and colour profile are kept, pixels have 8 bits
        per channel, and a light set by `relight` is used. See `l2rkit.viz.pasted`.

        Raises:
            UserError: the photo is no Pillow picture, or has another size than this face's.
        """
        if not isinstance(photo, Image.Image):
            kind = type(photo).__name__
            raise UserError(f"paste: a Pillow picture was expected, not {kind}: see Image.open")
        size = ImageOps.exif_transpose(photo).size
        if self.photo_size not in (None, size):
            expected, got = ("{} x {} px".format(*each) for each in (self.photo_size, size))
            raise UserError(f"paste: this face's photo has {expected}, the given one {got}")
        seen = self.scene.target
        face = to_bytes(self.scene.rendering.over(seen)[0])
        alone = FaceAlone(seen.shape[-1])(self.face).mask * self.scene.rendering.mask
        return pasted(photo, face, self.crop, faded(alone[0, 0].numpy()))

    def turntable(self, frames: int = 24, size: int = MOVING) -> bytes:
        """A GIF of the face turning from side to side."""
        return gif(turntable(FaceAlone(size), self.face, frames)[:, 0])

    def light_round(self, frames: int = 24, size: int = MOVING) -> bytes:
        """A GIF of the face under a light that moves around it."""
        return gif(relit(FaceAlone(size), self.face, frames)[:, 0])

    def save(
        self,
        folder: str | Path,
        name: str,
        formats: Sequence[str] = ("glb",),
        keep_background: bool = False,
        watertight: bool = False,
        width_mm: float | None = None,
        texture_size: int | None = None,
        source: str = "",
    ) -> None:
        """Writes `name.npz`, `name.png` and the files of `formats` into `folder`.

        Each file is written atomically. `name.png`, whose metadata names `source`, is written first
        and `name.npz` last; an older `name.npz` is removed at the start. formats: glb, obj (with
        `name.mtl` and `name-albedo.png`), ply and stl, which take the other arguments of `mesh`;
        turntable (`name.gif`) and relight (`name-relit.gif`).

        Raises:
            UserError: a format is unknown, the name has folders, or the face has no such mesh.
        """
        endings(formats)  # raises if a format is unknown
        if Path(name).name != name:
            raise UserError(f"'{name}' is no name of a file in {folder}")
        npz = io.BytesIO()
        arrays: dict[str, Any] = dict(self.arrays())
        np.savez_compressed(npz, **arrays)
        assert self.scene.rendering is not None  # a reconstruction is always rendered
        picture = panel(self.scene.target, self.face, self.scene.rendering, FaceAlone(TILE))
        contents: dict[str, bytes] = {}
        if not MESHES.keys().isdisjoint(formats):
            mesh = self.mesh(keep_background, watertight, width_mm, texture_size)
            for kind in MESHES.keys() & set(formats):
                contents |= MESHES[kind].write(mesh, name)
            contents = {k: marked(v) if k.endswith(".png") else v for k, v in contents.items()}
        moving = {"turntable": self.turntable, "relight": self.light_round}
        contents |= {ANIMATIONS[key]: moving[key]() for key in ANIMATIONS.keys() & set(formats)}
        contents = {".png": png(picture, source), **contents, ".npz": npz.getvalue()}
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"{name}.npz").unlink(missing_ok=True)
        for ending, content in contents.items():
            write_atomic(Path(folder) / file_name(name, ending), content)


@dataclass(frozen=True, eq=False)
class Collection:
    """The result for several photos of one person.

    shared: the common face, in the view and light of the photo with the largest weight, among
    equal ones of that which is most from ahead; photos: each photo's own face; share (N,): weight
    of each photo relative to the others, 1 if equal.
    """

    shared: Reconstruction
    photos: list[Reconstruction]
    share: Tensor


def endings(formats: Sequence[str] = ("glb",)) -> list[str]:
    """The endings of the files that `Reconstruction.save` writes, such as ".npz".

    Raises:
        UserError: a format is unknown.
    """
    if isinstance(formats, str):
        raise UserError(f"formats is a list such as ['{formats}'], not a word")
    known = {key: form.endings for key, form in MESHES.items()}
    known |= {key: (ending,) for key, ending in ANIMATIONS.items()}
    for kind in formats:
        if kind not in known:
            raise UserError(f"no format is called '{kind}'{near(kind, known)}")
    return [".npz", *(ending for key in dict.fromkeys(formats) for ending in known[key]), ".png"]


def _hw(image: Tensor) -> np.ndarray:
    return image[0, 0].numpy()


def _hwc(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).contiguous().numpy()
