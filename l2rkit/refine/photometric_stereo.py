"""Corrects the mean shape of all faces by the shading of many people's photos. Ours.

Losses over single photos leave an error common to all faces, as an albedo can be painted to explain
any shading of one face. Over thousands of people albedo averages out while light comes from
everywhere, so their photos act as those of one object in photometric stereo (Woodham 1980).
`photometric_stereo` solves for lights, mean albedo and mean shape in turn. With unknown lights and
a symmetric face, shape is determined up to scale and tilt (Belhumeur et al. 1999), which are kept
from the input. No 3D data is used.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, interpolate, normalize

from ..geometry import normals
from ..ops.masked import masked_mean, masked_means
from ..render.shading import shading
from ..structures import Light
from .shared_depth import DARKEST, CanonicalObservations

ROBUST = 0.3  # misfits of log luminance above this count linearly: brows, beards, glints
DIFFUSE = (0.3, 0.8)  # diffuse share of the light
FACE = (10 / 64, 14 / 64)  # of rows and columns left out where faces are compared: hair, background
MIDDLE = (14 / 64, 18 / 64)  # and where scale and tilt are fixed
SPREAD = 0.05  # initial value of squared misfits
TRUST = 0.1, 4.0  # range of a pixel's weight, by how alike people look there
LOW_TILT = 1e-3  # pulls uncertain lights towards the camera
MISFIT, SMOOTHNESS = 10.0, 20.0
AT_ONCE, DRAWN = 512, 256  # photos when lights are fitted, and of each step of shape and albedo
FIRST_TURNS, TURNS, STEPS = 20, 8, 60  # of lights in the first round and the others, of shape
LIGHT_RATE, ALBEDO_RATE, SHAPE_RATE = 0.06, 2e-2, 3e-4
SETTLING, SETTLED = 3, 1e-4  # of the last rounds so many move shape at this rate


def photometric_stereo(
    observed: CanonicalObservations,
    rounds: int = 24,
    report: Callable[[int, float], None] = lambda at, misfit: None,
) -> Tensor:
    """(1, 1, S, S): the depth offset with which shading explains the photos best.

    Each round fits each photo's light to the present shape and mean albedo, then shape and albedo
    to the lights, by Adam. From the second round on, pixels are weighted by how little people
    differ there. The map is symmetric, smooth (on half of the pixels), and keeps scale and tilt.

    Args:
        rounds: number of alternations.
        report: called after each round with its number and the mean misfit.
    """
    solving = _Solving(observed)
    for at in range(rounds):
        solving.turn_lights(TURNS if at else FIRST_TURNS)
        misfit = solving.move_shape(SHAPE_RATE if at < rounds - SETTLING else SETTLED)
        if at:
            solving.update_weights()
        report(at, misfit)
    return solving.shape()


class _Solving:
    """The state of the solver: lights (N, 3) as in `lights_of`, mean albedo and shape."""

    def __init__(self, observed: CanonicalObservations) -> None:
        self.observed, self.size = observed, observed.depth.shape[-1]
        self.face = window(self.size, FACE).to(observed.depth)
        self.spread = torch.full_like(observed.depth, SPREAD)
        self.trust = torch.ones_like(observed.depth)
        slopes = observed.slopes
        self.lights = torch.cat([slopes, torch.zeros_like(slopes[:, :1])], 1).requires_grad_()
        self.turning = torch.optim.Adam([self.lights], lr=LIGHT_RATE)
        self.coarse = observed.depth.new_zeros(1, 1, *[self.size // 2] * 2).requires_grad_()
        self.albedo = torch.zeros_like(observed.depth)
        with torch.no_grad():
            left = torch.cat([self.residual(who, observed.depth) for who in self.chunks()])
        seen = observed.seen
        self.albedo = (left * seen).sum(0, keepdim=True) / seen.sum(0, keepdim=True).clamp(min=1)
        self.albedo.requires_grad_()
        self.draws = torch.Generator().manual_seed(0)

    def chunks(self) -> Iterator[slice]:
        return (slice(i, i + AT_ONCE) for i in range(0, len(self.lights), AT_ONCE))

    def shape(self) -> Tensor:
        """(1, 1, S, S): the current shape, with position, scale and tilt of the input."""
        return without_ambiguity(widened(self.coarse, self.size), self.observed.depth).detach()

    def residual(self, who: Tensor | slice, depth: Tensor) -> Tensor:
        """(B, 1, S, S): luminance less shading, albedo and tone, its mean over the face."""
        lit = shading(normals(depth), lights_of(self.lights[who])).clamp(min=DARKEST).log()
        left = self.observed.luminance[who] - lit - self.albedo
        return left - masked_means(left, self.weight(who) * self.face)[:, None, None, None]

    def weight(self, who: Tensor | slice) -> Tensor:
        """(B, 1, S, S): weights of the pixels."""
        return self.observed.seen[who] * self.trust

    def turn_lights(self, steps: int) -> None:
        """Fits each photo's light to the current shape and albedo."""
        depth = self.observed.depth + self.shape()
        for _ in range(steps):
            for who in self.chunks():
                left = masked_means(
                    _robust(self.residual(who, depth)), self.weight(who) * self.face
                )
                loss = left.sum() + LOW_TILT * self.lights[who].square().sum()
                loss.backward(inputs=[self.lights])
            self.turning.step()
            self.turning.zero_grad()

    def move_shape(self, rate: float) -> float:
        """Fits shape and albedo to the current lights; returns the mean misfit."""
        moved = [dict(params=[self.albedo], lr=ALBEDO_RATE), dict(params=[self.coarse], lr=rate)]
        moving, total = torch.optim.Adam(moved), 0.0
        for _ in range(STEPS):
            who = torch.randint(0, len(self.lights), (DRAWN,), generator=self.draws)
            left = self.residual(who, self.observed.depth + widened(self.coarse, self.size))
            loss = masked_mean(_robust(left), self.weight(who))
            rough = MISFIT * loss + SMOOTHNESS * roughness(self.coarse)
            moving.zero_grad()
            rough.backward(inputs=[self.albedo, self.coarse])
            moving.step()
            total += loss.item() / STEPS
            self.update_spread(left.detach(), self.observed.seen[who])
        return total

    def update_spread(self, left: Tensor, seen: Tensor) -> None:
        """Updates how much people differ at each pixel."""
        square = left.clamp(-2 * ROBUST, 2 * ROBUST).square() * seen
        new = square.sum(0, keepdim=True) / seen.sum(0, keepdim=True).clamp(min=1)
        self.spread = 0.98 * self.spread + 0.02 * new

    def update_weights(self) -> None:
        """Sets the weights of pixels by how little people differ there."""
        self.trust = (self.spread.median() / self.spread.clamp(min=0.003)).clamp(*TRUST)


def lights_of(code: Tensor) -> Light:
    """Lights of one strength from `code` (N, 3): slopes x / -z, y / -z, and the diffuse share."""
    low, high = DIFFUSE
    diffuse = low + (high - low) * code[:, 2].sigmoid()
    ahead = torch.cat([code[:, :2], -torch.ones_like(code[:, :1])], 1)
    return Light(1 - diffuse, diffuse, normalize(ahead, dim=1))


def without_ambiguity(shape: Tensor, depth: Tensor) -> Tensor:
    """(1, 1, S, S): `shape`, changed so that `depth` keeps its place, scale and tilt with it.

    Least squares over the middle of the face; what shading leaves open is taken from `depth`.
    """
    size = depth.shape[-1]
    middle = window(size, MIDDLE)[0, 0] > 0
    row = torch.linspace(-1, 1, size).to(depth)[:, None].expand(size, size)
    terms = torch.stack([torch.ones_like(row), row, (depth + shape)[0, 0]])
    factors = torch.linalg.lstsq(terms[:, middle].T, depth[0, 0][middle][:, None]).solution
    return (terms * factors[:, :, None]).sum(0)[None, None] - depth


def widened(coarse: Tensor, size: int) -> Tensor:
    """(1, 1, size, size): a map on fewer pixels, enlarged and made symmetric."""
    fine = interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return (fine + fine.flip(-1)) / 2


def roughness(shape: Tensor) -> Tensor:
    """The mean square of differences between neighbours, along both ways."""
    return shape.diff(dim=-1).square().mean() + shape.diff(dim=-2).square().mean()


def window(size: int, out: tuple[float, float]) -> Tensor:
    """(1, 1, size, size): 1 but for the shares `out` of rows and columns at each side."""
    inside = torch.zeros(1, 1, size, size)
    rows, columns = (round(size * share) for share in out)
    inside[..., rows : size - rows, columns : size - columns] = 1
    return inside


def _robust(left: Tensor) -> Tensor:
    return huber_loss(left, torch.zeros_like(left), reduction="none", delta=ROBUST)
