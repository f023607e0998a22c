"""A texture at the photo's resolution: the albedo with the photo's detail. Ours.

Methods predict an albedo of low resolution. The high frequencies of a sharp photo are added where
it shows the face. A bad photo adds nothing: a blurred one has no high frequencies, noise is
estimated and suppressed, and detail is left out where the method changed the photo much.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ..geometry import in_float32, normals
from ..ops.resize import aligned
from ..render.light import DARKEST
from ..render.shading import shading
from ..render.unwrap import ramp, visibility
from ..render.warp import warp_to_canonical
from ..structures import Face

FINEST = 1024  # px of the kept crop of a photo; larger textures upsample it
# Mean difference of colours in [0, 1] between the shaded face and the photo, at the albedo's size:
# the weight of detail is 1 up to the first, and 0 from the second on.
AGREES, DIFFERS = 0.012, 0.025
AROUND = 1 / 8  # share of the width over which they are compared
PATCH = 1 / 64  # share of the width over which detail is compared with noise
SURE = 2.0  # detail counts from this multiple of the noise's variance on


@torch.no_grad()
def texture(face: Face, photo: Tensor, size: int) -> Tensor:
    """(B, 3, size, size) in [0, 1]: the albedo with the photo's detail, without the photo's light.

    photo (B, 3, N, N): the input photo of `face`, of any N; its outermost pixel centres are those
    of the camera. A photo of at most the albedo's size adds nothing.
    """
    albedo, small = aligned(face.albedo, size), face.size
    if min(photo.shape[-1], size) <= small:
        return albedo
    photo = aligned(photo, min(size, photo.shape[-1]))
    sigma = noise(photo)  # before pixels are interpolated
    seen = warp_to_canonical(aligned(photo, size), aligned(face.depth, size), face.view)
    coarse = aligned(seen, small)  # at the albedo's resolution
    light = shading(normals(face.depth), face.light).clamp(min=DARKEST)
    good = visibility(face.depth, face.view, small) * agreement(face.albedo * light, coarse)
    detail = seen - aligned(coarse, size)
    detail = detail * aligned(good / light, size) * beyond_noise(detail, sigma)
    return (albedo + detail).clamp(0, 1)


@in_float32
def agreement(drawn: Tensor, photo: Tensor) -> Tensor:
    """(B, 1, S, S) in [0, 1]: local agreement of two pictures (B, 3, S, S), see `AGREES`."""
    off = (drawn - photo).abs().mean(1, keepdim=True)
    return 1 - ramp(mean_around(off, AROUND), AGREES, DIFFERS)


def noise(photo: Tensor) -> Tensor:
    """(B, 1, 1, 1): standard deviation of white noise in photos (B, C, H, W).

    From the median of the finest diagonal wavelet coefficients (Donoho and Johnstone, 1994), few of
    which are those of edges.
    """
    p, q = photo[..., :-1:2, :-1:2], photo[..., :-1:2, 1::2]
    r, s = photo[..., 1::2, :-1:2], photo[..., 1::2, 1::2]
    return ((p - q - r + s) / 2).abs().flatten(1).median(1).values.view(-1, 1, 1, 1) / 0.6745


def beyond_noise(detail: Tensor, sigma: Tensor) -> Tensor:
    """(B, 1, H, W) in [0, 1]: Wiener filter of detail (B, C, H, W) by its local power.

    1 - SURE * noise / all, in variances; sigma (B, 1, 1, 1): standard deviation of the noise.
    """
    power = mean_around(detail.square().mean(1, keepdim=True), PATCH)
    return (1 - SURE * sigma.square() / power.clamp(min=1e-12)).clamp(0, 1)


def mean_around(maps: Tensor, share: float) -> Tensor:
    """(B, C, S, S): means of maps (B, C, S, S) over squares whose side is `share` of the width."""
    half = round(maps.shape[-1] * share / 2)
    return avg_pool2d(pad(maps, (half,) * 4, mode="replicate"), 2 * half + 1, 1)
