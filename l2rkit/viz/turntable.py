"""A face turned before the camera, as a row of pictures or a moving one."""

import io
import math
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor

from ..face import Face, Rendering
from ..geometry import view_of
from .mesh import to_bytes
from .panel import on_white


@torch.no_grad()
def turntable(
    render: Callable[[Face], Rendering],
    face: Face,
    frames: int = 24,
    yaw_deg: float = 60.0,
    pitch_deg: float = 0.0,
) -> Tensor:
    """(frames, B, 3, S, S): each face of the batch, swung to one side, the other, and back.

    Yaw follows a sine between plus and minus `yaw_deg`, so that the last frame leads to the first.
    Where the face does not cover the picture it is white.
    """
    if frames < 1:
        raise ValueError(f"a turntable has 1 frame or more, not {frames}")
    pictures = []
    for frame in range(frames):
        yaw = yaw_deg * math.sin(2 * math.pi * frame / frames)
        seen = render(face.seen_from(view_of(yaw, pitch_deg).to(face.depth)))
        pictures.append(on_white(seen.image, seen.mask))
    return torch.stack(pictures)


def gif(pictures: Tensor, seconds: float = 3.0) -> bytes:
    """Pictures (frames, 3, H, W) in [0, 1] as a GIF that goes round for ever."""
    first, *others = (Image.fromarray(to_bytes(picture)) for picture in pictures)
    file = io.BytesIO()
    first.save(
        file,
        "gif",
        save_all=True,
        append_images=others,
        duration=round(1000 * seconds / len(pictures)),
        loop=0,
    )
    return file.getvalue()
