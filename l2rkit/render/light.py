"""Fits the light of a picture of a face, and removes it from colours. Ours."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..geometry import in_float32
from ..ops.transfer import constant
from ..structures import Light
from .shading import shading

DARKEST = 0.3  # least shading by which a colour is divided
RIDGE = 0.02  # of the regularisation to ambient light, as a share of the pixels
STRONGEST = 0.5  # diffuse light: where a face turns away, photos are brighter than Lambert's law


def without_light(colour: Tensor, normal: Tensor, light: Light) -> Tensor:
    """(B, 3, H, W) in [0, 1]: the albedo that looks like `colour` under the light.

    Colours are divided by no shading below `DARKEST`.
    """
    return (colour / shading(normal, light).clamp(min=DARKEST)).clamp(0, 1)


@in_float32
def fitted_light(
    colour: Tensor, normal: Tensor, weight: Tensor, strongest: float = STRONGEST
) -> Light:
    """The light under which a grey face with these normals is as bright as the picture.

    colour, normal (B, 3, H, W); weight (B, 1, H, W) of pixels. A least squares fit of
    `ambient + diffuse * normal . direction`, scaled to a mean shading of 1; `strongest` limits the
    diffuse light. Skin that is darker on one side is mistaken for shadow.
    """
    grey = colour.mean(1).flatten(1)[..., None]
    share = weight.flatten(1)[..., None]
    share = share / share.sum(1, keepdim=True).clamp(min=1e-6)
    terms = torch.cat([torch.ones_like(grey), normal.flatten(2).mT], 2)
    mean = (share * grey).sum(1, keepdim=True).clamp(min=1e-3)
    held = torch.diag(constant([0, RIDGE, RIDGE, RIDGE], terms))
    lifted = torch.diag(constant([1e-6] * 4, terms))
    squares = terms.mT @ (share * terms) + held + lifted
    # solve would wait for the device to check for singularity, which the ridge excludes
    fit = torch.linalg.solve_ex(squares, terms.mT @ (share * grey / mean))[0][..., 0]
    slope = fit[:, 1:]
    slope = torch.cat([slope[:, :2], slope[:, 2:].clamp(max=-0.05)], 1)  # never from behind
    diffuse = slope.norm(dim=1).clamp(max=strongest)
    direction = normalize(slope, dim=1)
    facing = (normal * direction[..., None, None]).sum(1).clamp(min=0).flatten(1)
    bright = (share[..., 0] * facing).sum(1) * diffuse
    return Light((1 - bright).clamp(min=DARKEST), diffuse, direction)
