"""JPEG by OpenCV, and a differentiable JPEG in torch that reproduces libjpeg.

RGB becomes luma and two chroma planes of half the size (4:2:0). Blocks of 8 by 8 px are transformed
by a DCT, whose coefficients are rounded to multiples of a table. The tables are those of ITU-T
T.81, annex K; quality scales them as in libjpeg (jcparam.c).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ..errors import ConfigError
from ..ops.resize import resized
from ..registry import DEGRADATIONS
from .degradation import Degradation, Drawn, Range, as_range

BLOCK = 8
TIE = 1e-4  # larger than float32's error, so that exact halves round the right way
LUMA_TABLE = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
CHROMA_TABLE = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
]
# libjpeg's fixed-point numbers (jccolor.c, jdcolor.c), whole multiples of 1/65536
FIX = 1 << 16
TO_YCC = [  # of 8-bit red, green, blue, in 1/65536; 128 is then added to both chromas
    [19595, 38470, 7471],
    [-11058, -21710, 32768],
    [32768, -27439, -5329],
]
TO_RGB = [[0, 91881], [-22554, -46802], [116130, 0]]  # of the chromas, in 1/65536; plus luma


@DEGRADATIONS.register_module()
class Jpeg(Degradation):
    """JPEG compression. In torch, rounding passes gradients straight through.

    Args:
        quality: whole number from 1 (worst) to 100, or a range of them, drawn uniformly.
    """

    def __init__(self, quality: Range = (30, 95)) -> None:
        super().__init__()
        self.quality = as_range("Jpeg: quality", quality, 1, 100)
        if any(bound != int(bound) for bound in self.quality):
            raise ConfigError(f"Jpeg: quality is a whole number, not {quality!r}")

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        low, high = map(int, self.quality)
        return dict(quality=int(rng.integers(low, high + 1)))

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        return jpeg(photo, [d["quality"] for d in drawn])

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        how = [cv2.IMWRITE_JPEG_QUALITY, drawn["quality"]]
        how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
        bgr = np.rint(image[..., ::-1] * 255).clip(0, 255).astype(np.uint8)
        _, code = cv2.imencode(".jpg", bgr, how)
        return np.float32(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]) / 255


def jpeg(photo: Tensor, quality: Sequence[int]) -> Tensor:
    """(B, 3, H, W) in [0, 1]: photos after JPEG compression, of one quality per photo."""
    height, width = photo.shape[2:]
    levels = cut(photo * 255 + 0.5 + TIE).clamp(0, 255)
    to_ycc, to_rgb = photo.new_tensor(TO_YCC) / FIX, photo.new_tensor(TO_RGB) / FIX
    half = photo.new_tensor([0.5, 0.5 - 1 / FIX, 0.5 - 1 / FIX])[:, None, None]
    offset = photo.new_tensor([0.0, 128, 128])[:, None, None]
    ycc = cut(torch.einsum("dc,bchw->bdhw", to_ycc, levels) + half) + offset
    # replicate edges up to whole blocks: columns before the chromas are halved, rows after
    ycc = pad(ycc, (0, -width % (2 * BLOCK), 0, height % 2), mode="replicate")
    chroma = leaning(avg_pool2d(ycc[:, 1:], 2), left=1 / 4, right=2 / 4)
    brightness, chroma = (
        pad(plane, (0, 0, 0, -plane.shape[2] % BLOCK), mode="replicate")
        for plane in (ycc[:, :1], chroma)
    )
    brightness = coded(brightness, tables(LUMA_TABLE, quality, photo))
    chroma = coded(chroma, tables(CHROMA_TABLE, quality, photo))
    # libjpeg uses chroma only within the photo
    chroma = chroma[..., : (height + 1) // 2, : (width + 1) // 2]
    size = tuple(2 * side for side in chroma.shape[2:])
    chroma = leaning(resized(chroma, size, "bilinear"), left=8 / 16, right=7 / 16)
    chroma = chroma[..., :height, :width]
    change = cut(torch.einsum("dc,bchw->bdhw", to_rgb, chroma - 128) + 0.5)
    return (brightness[..., :height, :width] + change).clamp(0, 255) / 255


def tables(table: list[list[int]], quality: Sequence[int], like: Tensor) -> Tensor:
    """(B, 1, 8, 8): quantization steps at these qualities, integers as in libjpeg."""
    percent = np.array([5000 // q if q < 50 else 200 - 2 * q for q in quality])
    steps = (np.array(table) * percent[:, None, None] + 50) // 100
    return torch.as_tensor(steps.clip(1, 255), dtype=like.dtype, device=like.device)[:, None]


def coded(plane: Tensor, steps: Tensor) -> Tensor:
    """(B, C, H, W): planes of 8-bit levels, whole blocks, after quantization of the DCT."""
    basis = torch.as_tensor(cosines(), dtype=plane.dtype, device=plane.device)
    rows, cols = (side // BLOCK for side in plane.shape[2:])
    blocks = (plane - 128).unflatten(3, (cols, BLOCK)).unflatten(2, (rows, BLOCK))
    blocks = blocks.transpose(3, 4)  # (B, C, rows, cols, 8, 8)
    steps = steps[:, :, None, None]
    waves = rounded(basis @ blocks @ basis.T / steps) * steps
    blocks = (basis.T @ waves @ basis).transpose(3, 4)
    return rounded(blocks.flatten(4, 5).flatten(2, 3) + 128).clamp(0, 255)


def cosines() -> np.ndarray:
    """(8, 8): row k is the k-th basis function of the orthonormal DCT."""
    k = np.arange(BLOCK)
    waves = np.cos((2 * k + 1) * k[:, None] * np.pi / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    waves[0] /= np.sqrt(2)
    return waves


def rounded(value: Tensor) -> Tensor:
    """The nearest whole number, halves away from 0, with straight-through gradients."""
    return value.sign() * cut(value.abs() + 0.5 + TIE)


def leaning(value: Tensor, left: float, right: float) -> Tensor:
    """The whole number below value + `left` in even columns, value + `right` in odd columns.

    libjpeg rounds chroma so: halves go up and down in turn, which avoids a bias.
    """
    even = torch.arange(value.shape[3], device=value.device) % 2 == 0
    return cut(value + torch.where(even, left, right).to(value) + TIE)


def cut(value: Tensor) -> Tensor:
    """The whole number below, with straight-through gradients."""
    return value - value.detach() + value.detach().floor()
