"""Cycle consistency: the model must predict the faces that it rendered."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, normalize

from ..registry import LOSSES
from ..structures import Face, Light, Scene


@LOSSES.register_module()
class CycleConsistency(nn.Module):
    """Compares faces with the predictions from their renderings in random views and lights.

    Ours, not the paper's. Photos alone hardly determine view and light: a wrong canonical face
    under a wrong view and light gives the same picture. In a rendering both are known.

    The rendered faces are constants: gradients reach only the predictions. Another photo of the
    batch is the background.

    Args:
        weight: of the loss.
        share: of the batch that is rendered.
        yaw_deg: yaws are uniform within plus and minus this.
        pitch_deg, roll_deg: standard deviations of normal distributions.
        light_slope: largest slope x / -z and y / -z of the direction to the light; its strengths
            are taken from the batch.
        maps: weight of depth, albedo and light.
        shift: standard deviation, in scene units, of random shifts added to the batch's. Without
            them a crop that is too high or too low is taken for a face that looks up or down.

    Random numbers come from torch's generator, which `StepSeed` seeds at each step.
    """

    needs_rendering = True

    def __init__(
        self,
        weight: float = 1.0,
        share: float = 0.5,
        yaw_deg: float = 45.0,
        pitch_deg: float = 12.0,
        roll_deg: float = 8.0,
        light_slope: float = 0.8,
        maps: float = 1.0,
        shift: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight, self.share, self.light_slope, self.maps = weight, share, light_slope, maps
        self.shift = shift
        self.yaw_deg, self.pitch_deg, self.roll_deg = yaw_deg, pitch_deg, roll_deg

    def forward(self, scene: Scene) -> Tensor:
        if not self.weight:
            return scene.target.new_zeros(())
        with torch.no_grad():
            drawn, picture = self.draw(scene)
        return self.weight * difference(scene.reconstruct(picture), drawn, self.maps)

    def draw(self, scene: Scene) -> tuple[Face, Tensor]:
        """Some of the scene's faces in random views and lights, and their pictures."""
        face, photo = scene.face, scene.target
        count = max(1, round(self.share * len(face)))
        to_photo = partial(Tensor.to, device=photo.device, non_blocking=True)
        who, light_of, ground_of, shift_of = (
            to_photo(torch.randperm(len(face))[:count]) for _ in range(4)
        )
        yaw = (2 * torch.rand(count) - 1) * math.radians(self.yaw_deg)
        pitch, roll = torch.randn(2, count)
        pitch, roll = pitch * math.radians(self.pitch_deg), roll * math.radians(self.roll_deg)
        turn = to_photo(torch.stack([pitch, yaw, roll], 1))
        slopes = (2 * torch.rand(count, 2) - 1) * self.light_slope
        shifts = torch.zeros(count, 3)
        if self.shift:
            shifts[:, :2] = self.shift * torch.randn(count, 2)
        toward = to_photo(normalize(torch.cat([slopes, -torch.ones(count, 1)], 1), dim=1))
        drawn = Face(
            depth=face.depth[who],
            albedo=face.albedo[who],
            light=Light(face.light.ambient[light_of], face.light.diffuse[light_of], toward),
            view=torch.cat([turn, face.view[shift_of, 3:] + to_photo(shifts)], 1),
        )
        seen = scene.render(drawn)
        picture = torch.where(seen.mask > 0, seen.image.clamp(0, 1), photo[ground_of])
        return drawn, picture


def difference(face: Face, other: Face, maps: float = 1.0) -> Tensor:
    """Weighted mean absolute differences of two batches of faces, a scalar.

    Angles have weight 5; shifts and depth, whose range is a tenth of the others', weight 10.
    """
    views = 5 * l1_loss(face.view[:, :3], other.view[:, :3])
    views = views + 10 * l1_loss(face.view[:, 3:], other.view[:, 3:])
    parts = 10 * l1_loss(face.depth, other.depth) + l1_loss(face.albedo, other.albedo)
    return views + maps * (parts + l1_loss(face.light.packed(), other.light.packed()))
