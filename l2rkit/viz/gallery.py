"""All faces of a run as one page: thumbnails, and each face to be turned, without a network."""

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

from ..errors import printable
from ..geometry import aligned, view_of
from ..io.files import HTML_MARK
from ..structures import Face, Light
from .alone import FaceAlone, levels
from .formats import MESHES, file_name
from .mesh import to_bytes
from .panel import TILE, on_white

TEMPLATE = Path(__file__).with_name("gallery.html")
YAWS_DEG = (0.0, -30.0, 30.0)  # of the thumbnails
MOST = 500  # faces of a page, which is then as large as browsers like
GRID, SKIN = 96, 256  # pixels across of the depth map and of the texture, at most
SHARP = 4.0  # of the texture's alpha, which is 0.5 at the face's rim: how fast it changes there
JPEG, WEBP = dict(format="JPEG", quality=85), dict(format="WEBP", quality=88, exact=True)


def gallery(panels: Sequence[Path], folder: Path, clips: Sequence[Path] = ()) -> str:
    """The page, HTML, of faces that `Reconstruction.save` wrote below `folder`.

    panels: their pictures `NAME.png`; the `NAME.npz` beside each is read, and meshes are linked.
    clips: videos below `folder`, which the page plays. It holds all else that it shows, about
    50 kB for each face, and fetches nothing. Of more than `MOST` faces it shows the first.
    """
    videos = "\n".join(video(clip, folder) for clip in clips)
    cards = "\n".join(card(panel, folder) for panel in panels[:MOST])
    if len(panels) > MOST:
        cards = f"<p>The first {MOST} of {len(panels)} faces.</p>\n{cards}"
    text = TEMPLATE.read_text("utf-8").replace("<!--MARK-->", HTML_MARK)
    before, after = text.split("<!--FACES-->")
    return before + cards + videos + after


def card(panel: Path, folder: Path) -> str:
    """One face of the page. What names hold is shown as it is, and never obeyed."""
    with np.load(panel.with_suffix(".npz"), allow_pickle=False) as arrays:
        face, photo = face_of(arrays), map_of(arrays["image"])
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
    """The face, a batch of one, whose arrays a `.npz` file holds."""
    light, view = (torch.from_numpy(arrays[key])[None] for key in ("light", "view"))
    return Face(
        map_of(arrays["canonical_depth"][..., None]),
        map_of(arrays["albedo"]),
        Light(light[:, 0], light[:, 1], light[:, 2:]),
        view,
    )


def map_of(image: np.ndarray) -> Tensor:
    """(1, C, H, W) from (H, W, C)."""
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def thumbnails(face: Face, photo: Tensor) -> Image.Image:
    """The photo (1, 3, H, W), and the face at `YAWS_DEG`, beside each other."""
    draw, tiles = FaceAlone(TILE), [aligned(photo, TILE)]
    for yaw in YAWS_DEG:
        seen = draw(face.with_view(view_of(yaw)))
        tiles.append(on_white(seen.image, seen.mask))
    return Image.fromarray(to_bytes(torch.cat(tiles, 3)[0]))


def textured(face: Face) -> Image.Image:
    """The albedo; opaque within the face's rim, transparent beyond it."""
    size = min(face.albedo.shape[-1], SKIN)
    alpha = aligned(levels(face.depth).to(face.albedo), size) * SHARP + 0.5
    colours = Image.fromarray(to_bytes(aligned(face.albedo, size)[0]))
    colours.putalpha(Image.fromarray(to_bytes(alpha.expand(-1, 3, -1, -1)[0])[..., 0]))
    return colours


def levels_of_16_bits(depth: Tensor) -> tuple[bytes, tuple[float, float]]:
    """A depth map (1, 1, S, S), row by row, as numbers of 16 bits from its least to its largest."""
    near, far = float(depth.min()), float(depth.max())
    whole = (depth[0, 0].double() - near) / max(far - near, 1e-9) * 65535
    return whole.round().numpy().astype("<u2").tobytes(), (near, far)


def uri(picture: Image.Image, how: dict) -> str:
    """A picture as an address that holds it."""
    file = io.BytesIO()
    picture.save(file, **how)
    kind = how["format"].lower()
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def address(file: Path) -> str:
    """The address of a file beside the page, whatever it is called."""
    return "./" + quote(os.fsencode(file.as_posix()))
