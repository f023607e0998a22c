"""Shift equivariance: a shifted and rolled photo must give the same face."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from ..registry import LOSSES
from ..structures import FIELD_OF_VIEW_DEG, Scene, each_tensor
from .cycle import difference


@LOSSES.register_module()
class ShiftEquivariance(nn.Module):
    """Compares predictions before and after photos are shifted and rolled. Not the paper's.

    A face that is cropped too low looks much like one that looks down, and the photos' losses
    accept both. Here the view must change by exactly the motion of the photo, while canonical face
    and light stay. `CycleConsistency` does the same with renderings, which lack hair, ears and
    neck.

    Predictions before the motion are constants. The roll is exact, as it is the last of the three
    rotations; the shift is that at depth 1.

    Args:
        weight: of the loss.
        share: of the batch that is moved.
        shift: standard deviation of shifts to the right and down, in scene units.
        roll_deg: standard deviation of rolls, in degrees.
        maps: weight of depth, albedo and light.

    Random numbers come from torch's generator, which `StepSeed` seeds at each step.
    """

    def __init__(
        self,
        weight: float = 1.0,
        share: float = 0.5,
        shift: float = 0.008,
        roll_deg: float = 8.0,
        maps: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight, self.share, self.maps = weight, share, maps
        self.shift, self.roll_deg = shift, roll_deg

    def forward(self, scene: Scene) -> Tensor:
        if not self.weight:
            return scene.target.new_zeros(())
        photo = scene.target
        count = max(1, round(self.share * len(photo)))
        who = torch.randperm(len(photo))[:count].to(photo.device, non_blocking=True)
        shift = self.shift * torch.randn(count, 2).to(photo, non_blocking=True)
        roll = math.radians(self.roll_deg) * torch.randn(count).to(photo, non_blocking=True)
        with torch.no_grad():
            before = each_tensor(scene.face, lambda tensor: tensor[who])
            expected = before.with_view(moved_view(before.view, shift, roll))
        seen = scene.reconstruct(moved(photo[who], shift, roll))
        return self.weight * difference(seen, expected, self.maps)


def moved(photo: Tensor, shift: Tensor, roll: Tensor) -> Tensor:
    """(B, 3, H, W): `photo` rolled about its middle by `roll` (B,) in radians, then shifted.

    shift (B, 2): to the right and down, in scene units at depth 1. The border is filled
    by reflection.
    """
    cos, sin = roll.cos(), roll.sin()
    back = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)
    half_widths = shift / math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))
    theta = torch.cat([back, -back @ half_widths[..., None]], 2)
    grid = affine_grid(theta, list(photo.shape), align_corners=True)
    return grid_sample(photo, grid, padding_mode="reflection", align_corners=True)


def moved_view(view: Tensor, shift: Tensor, roll: Tensor) -> Tensor:
    """(B, 6): the view of a face whose photo, seen in `view` (B, 6), was `moved` like this."""
    cos, sin = roll.cos(), roll.sin()
    x, y = view[:, 3], view[:, 4]
    turn = torch.stack([torch.zeros_like(roll), torch.zeros_like(roll), roll], 1)
    offset = torch.stack(
        [cos * x - sin * y + shift[:, 0], sin * x + cos * y + shift[:, 1], view[:, 5]], 1
    )
    return torch.cat([view[:, :3] + turn, offset], 1)


def moved_view_back(view: Tensor, shift: Tensor, roll: Tensor) -> Tensor:
    """(B, 6): the inverse of `moved_view`."""
    centred = torch.cat([view[:, :3], view[:, 3:5] - shift, view[:, 5:]], 1)
    return moved_view(centred, torch.zeros_like(shift), -roll)
