"""Turntables and moving lights of a face, as frames or a GIF."""

import io
import math
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..geometry import view_of
from ..io.files import OURS
from ..structures import Face, Light, Rendering
from .mesh import to_bytes
from .panel import on_white

DIRECTED = 0.7  # directed share of a moving light; the rest is ambient


@torch.no_grad()
def turntable(
    render: Callable[[Face], Rendering],
    face: Face,
    frames: int = 24,
    yaw_deg: float = 60.0,
    pitch_deg: float = 0.0,
) -> Tensor:
    """(frames, B, 3, S, S): each face of the batch, turned to one side, the other, and back.

    Yaw is a sine between plus and minus `yaw_deg`, so frames can be looped. The background is
    white.

    Raises:
        ValueError: frames is below 1.
    """
    if frames < 1:
        raise ValueError(f"a turntable has 1 frame or more, not {frames}")
    pictures = []
    for frame in range(frames):
        yaw = yaw_deg * math.sin(2 * math.pi * frame / frames)
        seen = render(face.with_view(view_of(yaw, pitch_deg).to(face.depth)))
        pictures.append(on_white(seen.image, seen.mask))
    return torch.stack(pictures)


@torch.no_grad()
def relit(
    render: Callable[[Face], Rendering], face: Face, frames: int = 24, tilt_deg: float = 45.0
) -> Tensor:
    """(frames, B, 3, S, S): each frontal face of the batch, with a light moving clockwise. Ours.

    The light begins above, and is always `tilt_deg` from the camera's axis. It is as strong as the
    photo's light, but `DIRECTED` of it is directed, so that flat light also shows the shape.

    Raises:
        ValueError: frames is below 1.
    """
    if frames < 1:
        raise ValueError(f"a light goes round in 1 frame or more, not {frames}")
    ahead = face.with_view(view_of().to(face.depth))
    strength = face.light.ambient + face.light.diffuse
    beside, before = math.sin(math.radians(tilt_deg)), math.cos(math.radians(tilt_deg))
    pictures = []
    for frame in range(frames):
        turn = 2 * math.pi * frame / frames
        way = strength.new_tensor([beside * math.sin(turn), -beside * math.cos(turn), -before])
        light = Light((1 - DIRECTED) * strength, DIRECTED * strength, way.expand(len(face), 3))
        seen = render(ahead.with_light(light))
        pictures.append(on_white(seen.image, seen.mask))
    return torch.stack(pictures)


def light_from(yaw_deg: float, pitch_deg: float, ambient: Tensor, diffuse: Tensor) -> Light:
    """Light on a frontal face, from the picture's right and from above by these angles.

    ambient (B,), diffuse (B,); at 0 and 0 degrees the light is at the camera.
    """
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    way = (math.sin(yaw) * math.cos(pitch), -math.sin(pitch), -math.cos(yaw) * math.cos(pitch))
    return Light(ambient, diffuse, ambient.new_tensor(way).expand(len(ambient), 3))


def gif(pictures: Tensor, seconds: float = 3.0) -> bytes:
    """Pictures (frames, 3, H, W) in [0, 1] as a looping GIF of this duration.

    A frame lasts a whole number of hundredths of a second, at least 2.
    """
    ends = np.round(np.linspace(0, 100 * seconds, len(pictures) + 1)).astype(int)
    first, *others = (Image.fromarray(to_bytes(picture)) for picture in pictures)
    file = io.BytesIO()
    first.save(
        file,
        "gif",
        save_all=True,
        append_images=others,
        duration=[10 * max(2, int(step)) for step in np.diff(ends)],
        loop=0,
        comment=OURS,
    )
    return file.getvalue()
