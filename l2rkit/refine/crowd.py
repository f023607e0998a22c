"""The shape that all faces share, set right by the shading of many people's photos. Ours.

Losses over single photos leave an error that is common to all faces, for a model's albedo can be
painted to explain any shading. A crowd's cannot: over thousands of people albedo averages out, and
lights come from everywhere, so that the crowd is one object of photometric stereo (Woodham 1980).
`stereo` solves for lights, mean albedo and mean shape in turn. With lights unknown and the face
symmetric, it tells shape but for scale and tilt (Belhumeur et al. 1999), which are kept from the
shape it is given. Nothing in it has seen any 3D.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss, interpolate, normalize

from ..face import FAR, NEAR, Face, Light
from ..geometry import move, normals, project, rotation, unproject
from ..registry import REFINERS
from ..render.shading import shading
from ..render.warp import Rasterizer, carried_back, warp_depth

DARKEST = 0.03  # of a photo, and of its shading: less counts as this
NEARLY = 0.01  # a point is seen if nothing rendered is nearer than it by more, in scene units
SLANTED = 0.35  # cosine to the camera below which a point is not looked at
ROBUST = 0.3  # misfits of log luminance above this count linearly: brows, beards, glints
DIFFUSE = (0.3, 0.8)  # share of the light that comes from its direction
FACE = (10 / 64, 14 / 64)  # of rows and columns left out where faces are compared: hair, background
MIDDLE = (14 / 64, 18 / 64)  # and where scale and tilt are held
TRUST = 0.1, 4.0  # least and greatest weight of a pixel, by how alike people look there
LOW_TILT = 1e-3  # pulls a light whose photo says little towards the camera
SMOOTHNESS = 20.0


@REFINERS.register_module()
class CommonShape(nn.Module):
    """Moves the depth of every face by the same map, `shape` (1, 1, size, size), at first 0.

    `tools/crowd_stereo.py` finds the map. For faces of another size it is brought to theirs.
    """

    def __init__(self, size: int = 64) -> None:
        super().__init__()
        self.shape = nn.Parameter(torch.zeros(1, 1, size, size))

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: as taken apart; photo is not looked at."""
        moved = interpolate(self.shape, size=(face.size, face.size), mode="bilinear")
        return replace(face, depth=(face.depth + moved).clamp(NEAR, FAR))


@dataclass(frozen=True, eq=False)
class Crowd:
    """What N photos show of the canonical face.

    luminance (N, 1, S, S): logarithm of each photo's mean colour, carried back; seen (N, 1, S, S):
    0 or 1; slopes (N, 2): x / -z and y / -z of the direction to the light, a first guess in the
    canonical frame; depth (1, 1, S, S): the mean face's.
    """

    luminance: Tensor
    seen: Tensor
    slopes: Tensor
    depth: Tensor

    @staticmethod
    def joined(crowds: list["Crowd"]) -> "Crowd":
        """One crowd of several."""
        sizes = torch.tensor([float(len(c.seen)) for c in crowds]).view(-1, 1, 1, 1)
        depth = (torch.cat([c.depth for c in crowds]) * sizes).sum(0, keepdim=True) / sizes.sum()
        parts = ([getattr(c, name) for c in crowds] for name in ("luminance", "seen", "slopes"))
        return Crowd(*map(torch.cat, parts), depth)


@torch.no_grad()
def crowd_of(photo: Tensor, face: Face, rasterize: Rasterizer) -> Crowd:
    """The photos (B, 3, S, S), of which a model has seen `face`, on the canonical face."""
    size = photo.shape[-1]
    where = project(move(unproject(face.depth), face.view), size)
    inside = ((where[:, :2] > 0) & (where[:, :2] < size - 1)).all(1, keepdim=True)
    nearest = warp_depth(face.depth, face.view, size, rasterize)
    shown = carried_back(torch.cat([photo, nearest], 1), face.depth, face.view)
    front = (where[:, 2:] - shown[:, 3:]).abs() < NEARLY
    turn = rotation(face.view[:, :3])
    facing = -torch.einsum("bij,bjhw->bihw", turn, normals(face.depth))[:, 2:]
    light = torch.einsum("bji,bj->bi", turn, face.light.direction)
    return Crowd(
        shown[:, :3].mean(1, keepdim=True).clamp(min=DARKEST).log(),
        (front & (facing > SLANTED) & inside).float(),
        light[:, :2] / -light[:, 2:].clamp(max=-0.3),
        face.depth.mean(0, keepdim=True),
    )


def stereo(
    crowd: Crowd, rounds: int = 24, tell: Callable[[int, float], None] = lambda at, misfit: None
) -> Tensor:
    """(1, 1, S, S): what has to be added to the mean depth so that shading explains the photos.

    Each round fits each photo's light to the present shape and mean albedo, then shape and albedo
    to the lights, by Adam. From the second on, pixels count by how little people differ there. The
    map is symmetric, smooth (on half of the pixels), and does not change the face's scale and tilt.

    Args:
        rounds: how often both are done.
        tell: is called after each round with its number and the mean misfit.
    """
    size = crowd.depth.shape[-1]
    face = window(size, FACE).to(crowd.depth)
    lights = torch.cat([crowd.slopes, torch.zeros_like(crowd.slopes[:, :1])], 1).requires_grad_()
    albedo = torch.zeros_like(crowd.depth)
    coarse = crowd.depth.new_zeros(1, 1, size // 2, size // 2).requires_grad_()
    spread = torch.full_like(albedo, 0.05)  # of misfits, before any was seen
    trust = torch.ones_like(albedo)
    draws = torch.Generator().manual_seed(0)

    def misfit(who: Tensor | slice, depth: Tensor) -> Tensor:
        """(B, 1, S, S): luminance less shading, albedo and tone, its mean over the face."""
        lit = shading(normals(depth), lights_of(lights[who])).clamp(min=DARKEST).log()
        left = crowd.luminance[who] - lit - albedo
        counted = crowd.seen[who] * face * trust
        return left - _mean(left, counted)[:, None, None, None]

    with torch.no_grad():
        everyone = range(0, len(lights), 512)
        left = torch.cat([misfit(slice(i, i + 512), crowd.depth) for i in everyone])
        albedo = (left * crowd.seen).sum(0, keepdim=True) / crowd.seen.sum(0, keepdim=True).clamp(1)
    albedo.requires_grad_()
    turn = torch.optim.Adam([lights], lr=0.06)
    for at in range(rounds):
        depth = crowd.depth + held(widened(coarse, size), crowd.depth).detach()
        for _ in range(8 if at else 20):
            for i in everyone:
                who = slice(i, i + 512)
                left = _robust(misfit(who, depth))
                tilt = LOW_TILT * lights[who].square().sum()
                (_mean(left, crowd.seen[who] * face * trust).sum() + tilt).backward(inputs=[lights])
            turn.step()
            turn.zero_grad()
        rate = 3e-4 if at < rounds - 3 else 1e-4
        shape = torch.optim.Adam([dict(params=[albedo], lr=2e-2), dict(params=[coarse], lr=rate)])
        total = 0.0
        for _ in range(60):
            who = torch.randint(0, len(lights), (256,), generator=draws)
            left, seen = misfit(who, crowd.depth + widened(coarse, size)), crowd.seen[who]
            loss = (_robust(left) * seen * trust).sum() / (seen * trust).sum().clamp(min=1)
            shape.zero_grad()
            (10 * loss + SMOOTHNESS * roughness(coarse)).backward(inputs=[albedo, coarse])
            shape.step()
            total += loss.item() / 60
            with torch.no_grad():
                square = left.clamp(-2 * ROBUST, 2 * ROBUST).square() * seen
                spread = 0.98 * spread + 0.02 * square.sum(0, True) / seen.sum(0, True).clamp(1)
        if at:
            trust = (spread.median() / spread.clamp(min=0.003)).clamp(*TRUST)
        tell(at, total)
    return held(widened(coarse, size), crowd.depth).detach()


def lights_of(code: Tensor) -> Light:
    """Lights of one strength from `code` (N, 3): slopes x / -z, y / -z, and the diffuse share."""
    low, high = DIFFUSE
    diffuse = low + (high - low) * code[:, 2].sigmoid()
    ahead = torch.cat([code[:, :2], -torch.ones_like(code[:, :1])], 1)
    return Light(1 - diffuse, diffuse, normalize(ahead, dim=1))


def held(shape: Tensor, depth: Tensor) -> Tensor:
    """(1, 1, S, S): `shape`, changed so that `depth` keeps its place, scale and tilt with it.

    Least squares over the middle of the face: what shading alone cannot tell is as in `depth`.
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


def _mean(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)
