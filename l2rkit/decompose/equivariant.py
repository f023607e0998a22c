"""Unsup3D's networks, asked about the photo and about its mirror image. Ours."""

from dataclasses import replace

import torch
from torch import Tensor

from ..geometry import reflected, reflected_view
from ..registry import DECOMPOSERS
from ..structures import Confidence, Face, Light
from .unsup3d import Unsup3DDecomposer


@DECOMPOSERS.register_module()
class EquivariantDecomposer(Unsup3DDecomposer):
    """`Unsup3DDecomposer` whose face of a mirrored photo is the mirrored face.

    It is the mean of the networks' face of the photo and their face of its mirror image, mirrored
    back: independent errors average out, as in `SelfEnsemble` for restorers. Arguments and weights
    are those of `Unsup3DDecomposer`; a photo takes twice the time.
    """

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        own = super().forward(photo, person)
        return mean_face(own, reflected(super().forward(photo.flip(-1), person)))

    def predict_view(self, photo: Tensor) -> Tensor:
        """(B, 6): the views alone, in a fraction of the time."""
        return (
            super().predict_view(photo) + reflected_view(super().predict_view(photo.flip(-1)))
        ) / 2


def mean_face(one: Face, other: Face) -> Face:
    """The mean of two batches of faces; `displacement` and `consistent` are the first's."""
    sure = one.confidence
    if sure is not None and other.confidence is not None:
        pixel = (sure.pixel + other.confidence.pixel) / 2
        sure = Confidence(pixel, (sure.feature + other.confidence.feature) / 2)
    return replace(
        one,
        depth=(one.depth + other.depth) / 2,
        albedo=(one.albedo + other.albedo) / 2,
        light=Light.unpacked(torch.stack([one.light.packed(), other.light.packed()]).mean(0)),
        view=(one.view + other.view) / 2,
        confidence=sure,
    )
