"""One face from several photos of a person, for methods that see each photo alone. Ours."""

from dataclasses import replace

import torch
from torch import Tensor

from .ops.groups import sum_within
from .render.unwrap import visibility
from .structures import Consistent, Face

LEAST = 0.1  # weight of what a photo does not show of its face


def shared_face(face: Face, person: Tensor, photo_size: int) -> Face:
    """The faces with the depth and albedo that all photos of a person share, in their own views.

    Depth is the mean over the person's photos, `displacement` likewise. Albedo is weighted by how
    well each photo, `photo_size` px wide, shows each pixel, so that what one photo hides comes from
    those that show it. Errors that differ between photos average out; each photo keeps its light,
    but light that a method leaves in the albedo is averaged, too.

    Args:
        face: a batch of faces, each of its own photo.
        person: (B,) integers; equal ones mean the same person.
        photo_size: px.

    Raises:
        ValueError: `person` does not have a number for each face.
    """
    if person.shape != (len(face),):
        got = tuple(person.shape)
        raise ValueError(f"shared_face expects a person for each of {len(face)} faces, not {got}")
    who, group = person.to(face.depth.device).unique(return_inverse=True)
    equal = torch.ones_like(face.depth)
    shown = LEAST + (1 - LEAST) * visibility(face.depth, face.view, photo_size)

    def mean(maps: Tensor, weight: Tensor) -> Tensor:
        total, weights = (sum_within(m, group, len(who)) for m in (maps * weight, weight))
        return (total / weights)[group]

    depth, albedo = mean(face.depth, equal), mean(face.albedo, shown)
    moved, region = face.displacement, face.region
    return replace(
        face,
        depth=depth,
        albedo=albedo,
        displacement=None if moved is None else mean(moved, equal),
        consistent=Consistent(depth, albedo),
        region=None if region is None else mean(region, equal).round(),
    )
