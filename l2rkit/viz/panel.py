"""Panels of a photo, its maps and its face in several views."""

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..geometry import normals, view_of
from ..structures import BACKGROUND, FAR, NEAR, Face, Rendering
from .mesh import to_bytes

YAWS_DEG = (-45.0, 0.0, 45.0)
TITLES = ["photo", "rendered", "albedo", "depth", "normals"]
TITLES += [f"{yaw:+.0f} deg" for yaw in YAWS_DEG]
TILE = 128  # px


def panel(photo: Tensor, face: Face, own: Rendering, render: nn.Module) -> Image.Image:
    """One row per photo: photo, rendering, albedo, depth, normals, and the face at `YAWS_DEG`.

    photo (B, 3, H, W); own: the rendering of `face` in the photo's view; render: for other views.
    """
    columns = [
        photo,
        on_white(own.image, own.mask),
        face.albedo,
        depth_picture(own.depth),
        normal_picture(own.depth),
    ]
    for yaw in YAWS_DEG:
        turned = render(face.with_view(view_of(yaw).to(photo)))
        columns.append(on_white(turned.image, turned.mask))
    rows = torch.cat([interpolate(c.detach().float(), (TILE, TILE)) for c in columns], 3)
    picture = Image.fromarray(to_bytes(torch.cat(list(rows), 1)))
    return with_titles(picture, TITLES)


def depth_picture(depth: Tensor) -> Tensor:
    """(B, 3, H, W): near is white; the background is black."""
    near = ((FAR - depth) / (FAR - NEAR)).clamp(0, 1) * 0.9 + 0.1
    return torch.where(depth < BACKGROUND, near, 0).expand(-1, 3, -1, -1)


def normal_picture(depth: Tensor) -> Tensor:
    """(B, 3, H, W): right is red, up is green, towards the camera is blue; background is white."""
    normal = normals(depth) * depth.new_tensor([1, -1, -1])[:, None, None]
    return on_white(normal / 2 + 0.5, (depth < BACKGROUND).to(depth.dtype))


def on_white(image: Tensor, mask: Tensor) -> Tensor:
    """(B, 3, H, W): the image where the mask is 1, white elsewhere."""
    return image * mask + 1 - mask


def with_titles(picture: Image.Image, titles: list[str]) -> Image.Image:
    """The picture below a line of evenly spaced titles."""
    line = 16
    canvas = Image.new("RGB", (picture.width, picture.height + line), "white")
    canvas.paste(picture, (0, line))
    draw = ImageDraw.Draw(canvas)
    for i, title in enumerate(titles):
        draw.text((i * picture.width // len(titles) + 4, 2), title, fill="black")
    return canvas
