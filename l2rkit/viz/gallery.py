"""An HTML page of all faces of a run: thumbnails and 3D views, without network access."""

import base64
import io
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import UserError, printable
from ..geometry import view_of
from ..io.files import BAD_ZIP, HTML_MARK
from ..io.names import file_name
from ..ops.resize import aligned
from ..structures import Face, Light
from .alone import FaceAlone, levels
from .formats import MESHES
from .mesh import to_bytes
from .panel import TILE, on_white

TEMPLATE = Path(__file__).with_name("gallery.html")
YAWS_DEG = (0.0, -30.0, 30.0)  # of the thumbnails
MOST = 500  # faces of a page; larger pages are slow in browsers
GRID, SKIN = 96, 256  # pixels across of the depth map and of the texture, at most
SHARP = 4.0  # slope of the texture's alpha at the face's rim, where it is 0.5
JPEG, WEBP = dict(format="JPEG", quality=85), dict(format="WEBP", quality=88, exact=True)


def gallery(panels: Sequence[Path], folder: Path, clips: Sequence[Path] = ()) -> str:
    """The HTML of the page for faces that `Reconstruction.save` wrote below `folder`.

    panels: the faces' pictures `NAME.png`; the `NAME.npz` beside each is read, and meshes are
    linked. clips: videos below `folder`, which the page plays. The page contains all other data,
    about 50 kB for each face, and fetches nothing. It shows at most the first `MOST` faces.

    Raises:
        UserError: a `NAME.npz` is damaged.
    """
    videos = "\n".join(video(clip, folder) for clip in clips)
    cards = "\n".join(card(panel, folder) for panel in panels[:MOST])
    if len(panels) > MOST:
        cards = f"<p>The first {MOST} of {len(panels)} faces.</p>\n{cards}"
    text = TEMPLATE.read_text("utf-8").replace("<!--MARK-->", HTML_MARK)
    before, after = text.split("<!--FACES-->")
    return before + cards + videos + after


def card(panel: Path, folder: Path) -> str:
    """The HTML of one face. Names are escaped, so HTML in them is shown, not interpreted."""
    try:
        with np.load(panel.with_suffix(".npz"), allow_pickle=False) as arrays:
            face, photo = face_of(arrays), map_of(arrays["image"])
    except (*BAD_ZIP, KeyError):
        raise UserError(
            f"{panel.with_suffix('.npz')} is damaged: delete it, and run the command again"
        ) from None
    name = panel.relative_to(folder).with_suffix("")
    files = [name.with_name(file_name(name.name, f".{kind}")) for kind in MESHES]
    links = [
        f'<a href="{address(file)}">{file.suffix[1:].upper()}</a>'
        for file in files
        if (folder / file).is_file()
    ]
    size, shown = min(face.size, GRID), escape(printable(name.as_posix()))
    depth, (near, far) = levels_of_16_bits(aligned(face.depth, size))
    skin, strip = textured(face), uri(thumbnails(face, photo), JPEG)
    return (
        f"<article><h2>{shown}</h2>\n"
        f'<img alt="{shown}: photo, ahead, and turned" src="{strip}">\n'
        f'<canvas tabindex="0" aria-label="{shown} in 3D" data-size="{size}"'
        f' data-texture="{skin.width}" data-range="{near:.9g} {far:.9g}"'
        f' data-depth="{base64.b64encode(depth).decode()}" data-skin="{uri(skin, WEBP)}">'
        f"</canvas>\n<nav>{''.join(links)}</nav></article>"
    )


def video(clip: Path, folder: Path) -> str:
    """A video of the page, which lies beside it."""
    name = clip.relative_to(folder)
    shown, link = escape(printable(name.with_suffix("").as_posix())), address(name)
    return (
        f'<article class="video"><h2>{shown}</h2>\n'
        f'<video controls loop autoplay muted playsinline src="{link}"></video>\n'
        f'<nav><a href="{link}">MP4</a></nav></article>'
    )


def face_of(arrays: "np.lib.npyio.NpzFile") -> Face:
    """The face (a batch of one) from the arrays of a `.npz` file."""
    light, view = (torch.from_numpy(arrays[key])[None] for key in ("light", "view"))
    known = "region" in arrays  # not in files of methods that do not know it
    return Face(
        map_of(arrays["canonical_depth"][..., None]),
        map_of(arrays["albedo"]),
        Light(light[:, 0], light[:, 1], light[:, 2:]),
        view,
        region=map_of(arrays["region"][..., None]).float() if known else None,
    )


def map_of(image: np.ndarray) -> Tensor:
    """(1, C, H, W) from (H, W, C)."""
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def thumbnails(face: Face, photo: Tensor) -> Image.Image:
    """The photo (1, 3, H, W) and the face at `YAWS_DEG`, side by side."""
    draw, tiles = FaceAlone(TILE), [aligned(photo, TILE)]
    for yaw in YAWS_DEG:
        seen = draw(face.with_view(view_of(yaw)))
        tiles.append(on_white(seen.image, seen.mask))
    return Image.fromarray(to_bytes(torch.cat(tiles, 3)[0]))


def textured(face: Face) -> Image.Image:
    """The albedo; opaque within the face's rim, transparent beyond it."""
    size = min(face.albedo.shape[-1], SKIN)
    alpha = aligned(levels(face).to(face.albedo), size) * SHARP + 0.5
    colours = Image.fromarray(to_bytes(aligned(face.albedo, size)[0]))
    colours.putalpha(Image.fromarray(to_bytes(alpha.expand(-1, 3, -1, -1)[0])[..., 0]))
    return colours


def levels_of_16_bits(depth: Tensor) -> tuple[bytes, tuple[float, float]]:
    """A depth map (1, 1, S, S) as 16-bit integers, row by row, and its depth range."""
    near, far = float(depth.min()), float(depth.max())
    whole = (depth[0, 0].double() - near) / max(far - near, 1e-9) * 65535
    return whole.round().numpy().astype("<u2").tobytes(), (near, far)


def uri(picture: Image.Image, how: dict) -> str:
    """A picture as a data URI."""
    file = io.BytesIO()
    picture.save(file, **how)
    kind = how["format"].lower()
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def address(file: Path) -> str:
    """The relative URL of a file beside the page, with its name quoted."""
    return "./" + quote(os.fsencode(file.as_posix()))
