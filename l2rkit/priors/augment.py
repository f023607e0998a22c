"""Adaptive augmentation of the discriminator's inputs (ADA, Karras et al., NeurIPS 2020).

With augmented inputs the discriminator cannot memorise few photos. Generated images are augmented
alike, so the generator still learns unaugmented ones. The probability of each change follows the
discriminator's confidence on photos. Strengths are the paper's (appendix B) unless marked as ours;
its rotations by 90 degrees, luma flips, filters, noise and cutout are left out.

Motions are in coordinates from -1 to 1 across the picture, x right, y down. Colours are in [-1, 1].
Random numbers come from torch's global generator.
"""

from math import log, pi, radians, sqrt

import torch
from mmengine.dist import all_reduce
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ..ops.transfer import HostBuffers
from ..registry import MODELS

EVERY = 4  # batches between changes of the probability
SHIFT = 0.125  # of the picture's width: the most of whole pixels, the deviation of others
SCALE, CONTRAST, SATURATION = 0.2 * log(2), 0.5 * log(2), log(2)  # deviations of logarithms
BRIGHTNESS = 0.2


@MODELS.register_module()
class AdaptiveAugment(HostBuffers):
    """Images (B, 3, S, S) → the same, each augmented at random.

    Args:
        target: target of the mean sign of the discriminator's scores of photos: 1 if all are
            recognised, 0 at chance.
        images: the least number of images in which the probability `p` goes from 0 to 1.
        turn_deg: largest rotation; published is 180, ours 30, as faces are upright.
    """

    host_buffers = ("p", "heard")

    def __init__(self, target: float = 0.6, images: float = 500_000, turn_deg: float = 30) -> None:
        super().__init__()
        self.target, self.images, self.turn = target, images, radians(turn_deg)
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("heard", torch.zeros(3))  # sum of signs, images and batches since

    def forward(self, image: Tensor) -> Tensor:
        p = self.p.item()
        if p == 0:
            return image
        motion = random_motion(len(image), p, image.shape[-1], self.turn)
        image = moved(image, motion.to(image, non_blocking=True))
        return recoloured(image, random_colours(len(image), p).to(image, non_blocking=True))

    @torch.no_grad()
    def adapt(self, scores: Tensor) -> None:
        """Raises `p` if the scores (B,) of photos are above the target, else lowers it."""
        counts = self.heard.new_tensor([scores.sign().sum().item(), len(scores)])
        all_reduce(counts)  # of all processes
        self.heard += torch.cat([counts, counts.new_ones(1)])
        signs, images, batches = self.heard.tolist()
        if batches < EVERY:
            return
        excess = signs / images - self.target
        step = images / self.images
        self.p += step if excess > 0 else -step if excess < 0 else 0
        self.p.clamp_(0, 1)
        self.heard.zero_()


def moved(image: Tensor, motion: Tensor) -> Tensor:
    """(B, C, S, S): what was at point q of the image is at motion (B, 3, 3) times (q, 1).

    Beyond the rim the image is mirrored. One that does not move stays bit for bit.
    """
    back = torch.linalg.inv_ex(motion)[0][:, :2]
    grid = affine_grid(back, list(image.shape), align_corners=False)
    there = grid_sample(image, grid, padding_mode="reflection", align_corners=False)
    return torch.where(_neutral(motion), image, there)


def recoloured(image: Tensor, colours: Tensor) -> Tensor:
    """(B, 3, H, W): colours (B, 4, 4) times (red, green, blue, 1), all in [-1, 1], not clamped."""
    matrix, added = colours[:, :3, :3], colours[:, :3, 3]
    changed = torch.einsum("bij,bjhw->bihw", matrix, 2 * image - 1) + added[..., None, None]
    return torch.where(_neutral(colours), image, (changed + 1) / 2)


def random_motion(count: int, p: float, size: int, turn: float = pi) -> Tensor:
    """(count, 3, 3): mirrored, shifted by whole px, scaled, turned, stretched, turned, shifted.

    Each with probability p; `turn` is the most, in radians. Pictures are `size` px wide.
    """
    mirror = 1 - 2 * _chosen(torch.randint(2, (count,)).float(), p)
    whole = _chosen((2 * torch.rand(2, count) - 1) * SHIFT, p)
    zoom = _chosen(SCALE * torch.randn(count), p).exp()
    before, after = (_chosen((2 * torch.rand(count) - 1) * turn, 1 - sqrt(1 - p)) for _ in "12")
    stretch = _chosen(SCALE * torch.randn(count), p).exp()
    some = _chosen(SHIFT * torch.randn(2, count), p)
    motion = scaling(mirror, torch.ones(count))
    for step in (
        shift(*(2 * (whole * size).round() / size)),  # the width is 2
        scaling(zoom, zoom),
        rotation(before),
        scaling(stretch, 1 / stretch),
        rotation(after),
        shift(*(2 * some)),
    ):
        motion = step @ motion
    return motion


def random_colours(count: int, p: float) -> Tensor:
    """(count, 4, 4): brightness, contrast, hue, saturation, each with probability p."""
    brightness = _chosen(BRIGHTNESS * torch.randn(count), p)
    contrast = _chosen(CONTRAST * torch.randn(count), p).exp()
    hue = _chosen((2 * torch.rand(count) - 1) * pi, p)
    saturation = _chosen(SATURATION * torch.randn(count), p).exp()
    colours = brighter(brightness)
    for step in (contrasted(contrast), hued(hue), saturated(saturation)):
        colours = step @ colours
    return colours


def shift(x: Tensor, y: Tensor) -> Tensor:
    """(B, 3, 3): to the right by x (B,) and down by y."""
    one, nil = torch.ones_like(x), torch.zeros_like(x)
    return _stacked([[one, nil, x], [nil, one, y], [nil, nil, one]])


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """(B, 3, 3): x (B,) times as wide and y times as high."""
    one, nil = torch.ones_like(x), torch.zeros_like(x)
    return _stacked([[x, nil, nil], [nil, y, nil], [nil, nil, one]])


def rotation(angle: Tensor) -> Tensor:
    """(B, 3, 3): clockwise, as y points down, by `angle` (B,) in radians."""
    one, nil, c, s = torch.ones_like(angle), torch.zeros_like(angle), angle.cos(), angle.sin()
    return _stacked([[c, -s, nil], [s, c, nil], [nil, nil, one]])


def brighter(added: Tensor) -> Tensor:
    """(B, 4, 4): `added` (B,) to each colour."""
    return _colours(torch.eye(3).expand(len(added), 3, 3), added)


def contrasted(factor: Tensor) -> Tensor:
    """(B, 4, 4): colours times `factor` (B,), about the middle grey."""
    return _colours(factor[:, None, None] * torch.eye(3), 0 * factor)


def hued(angle: Tensor) -> Tensor:
    """(B, 4, 4): turned about the axis of greys by `angle` (B,) in radians, red towards green."""
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / sqrt(3)
    c, s = (part[:, None, None] for part in (angle.cos(), angle.sin()))
    return _colours(c * torch.eye(3) + (1 - c) / 3 + s * cross, 0 * angle)


def saturated(factor: Tensor) -> Tensor:
    """(B, 4, 4): the distance from grey times `factor` (B,)."""
    grey = torch.full((3, 3), 1 / 3)
    return _colours(grey + factor[:, None, None] * (torch.eye(3) - grey), 0 * factor)


def _chosen(value: Tensor, p: float) -> Tensor:
    """`value` (..., count) with probability p for each of the count, or else 0."""
    return torch.where(torch.rand(value.shape[-1]) < p, value, 0)


def _neutral(matrix: Tensor) -> Tensor:
    """(B, 1, 1, 1): whether the matrix (B, n, n) changes nothing, but for its own rounding."""
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    return ((matrix - eye).abs() < 1e-6).all(2).all(1)[:, None, None, None]


def _stacked(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _colours(matrix: Tensor, added: Tensor) -> Tensor:
    """(B, 4, 4) of (B, 3, 3) and what is added to each colour, (B,)."""
    full = torch.eye(4).repeat(len(matrix), 1, 1)
    full[:, :3, :3], full[:, :3, 3] = matrix, added[:, None]
    return full
