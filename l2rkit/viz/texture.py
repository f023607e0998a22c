"""A face's colours at the photo's resolution: the albedo, and detail that the photo adds. Ours.

A method gives an albedo of few pixels. A sharp photo has more of them, so its high frequencies are
added where it shows the face. A bad photo has nothing to add: a blurred one has none of them, noise
is measured and left out, and where the method changed the photo much the albedo stays.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ..geometry import aligned, in_float32, normals
from ..render.light import DARKEST
from ..render.shading import shading
from ..render.unwrap import ramp, visibility
from ..render.warp import warp_to_canonical
from ..structures import Face

FINEST = 1024  # pixels of the crop that is kept of a photo; larger textures enlarge it
# Mean difference of colours in [0, 1] between the face under its light and the photo, both as small
# as the albedo: up to the first the photo is good, from the second on it is bad.
AGREES, DIFFERS = 0.012, 0.025
AROUND = 1 / 8  # share of the width over which they are compared
PATCH = 1 / 64  # share of the width over which detail is compared with noise
SURE = 2.0  # detail of this many times the variance of noise begins to count


@torch.no_grad()
def texture(face: Face, photo: Tensor, size: int) -> Tensor:
    """(B, 3, size, size) in [0, 1]: the albedo with the photo's detail, without the photo's light.

    photo (B, 3, N, N): the photo in which `face` was found, of any N; its outermost pixel centres
    are those of the camera. One that has no more pixels than the albedo adds nothing.
    """
    albedo, small = aligned(face.albedo, size), face.size
    if min(photo.shape[-1], size) <= small:
        return albedo
    seen = warp_to_canonical(aligned(photo, size), aligned(face.depth, size), face.view)
    coarse = aligned(seen, small)  # what an albedo of its size can hold of it
    light = shading(normals(face.depth), face.light).clamp(min=DARKEST)
    good = visibility(face.depth, face.view, small) * agreement(face.albedo * light, coarse)
    detail = seen - aligned(coarse, size)
    detail = detail * aligned(good / light, size) * beyond_noise(detail, noise(photo))
    return (albedo + detail).clamp(0, 1)


@in_float32
def agreement(drawn: Tensor, photo: Tensor) -> Tensor:
    """(B, 1, S, S) in [0, 1]: how far two pictures (B, 3, S, S) show the same around each pixel."""
    off = (drawn - photo).abs().mean(1, keepdim=True)
    return 1 - ramp(mean_around(off, AROUND), AGREES, DIFFERS)


def noise(photo: Tensor) -> Tensor:
    """(B, 1, 1, 1): standard deviation of the white noise in photos (B, C, H, W).

    From the median of the finest diagonal wavelets (Donoho and Johnstone, 1994), among which those
    of edges are few.
    """
    p, q = photo[..., :-1:2, :-1:2], photo[..., :-1:2, 1::2]
    r, s = photo[..., 1::2, :-1:2], photo[..., 1::2, 1::2]
    return ((p - q - r + s) / 2).abs().flatten(1).median(1).values.view(-1, 1, 1, 1) / 0.6745


def beyond_noise(detail: Tensor, sigma: Tensor) -> Tensor:
    """(B, 1, H, W) in [0, 1]: the share of detail (B, C, H, W) around each pixel that is no noise.

    That of Wiener's filter, 1 - noise / all, in variances; sigma (B, 1, 1, 1).
    """
    power = mean_around(detail.square().mean(1, keepdim=True), PATCH)
    return (1 - SURE * sigma.square() / power.clamp(min=1e-12)).clamp(0, 1)


def mean_around(maps: Tensor, share: float) -> Tensor:
    """(B, C, S, S): means of maps (B, C, S, S) over squares, `share` of the width on each side."""
    half = round(maps.shape[-1] * share / 2)
    return avg_pool2d(pad(maps, (half,) * 4, mode="replicate"), 2 * half + 1, 1)
