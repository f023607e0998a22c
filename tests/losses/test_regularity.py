"""Displacement, albedo and identity losses on scenes with known values."""

from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene
from torch import nn

from l2rkit.losses import AlbedoRegularity, Displacement, Identity
from l2rkit.structures import Rendering


def test_displacement_costs_its_size_and_roughness_in_depth_ranges() -> None:
    scene = perfect_scene(8)
    steps = torch.zeros(2, 1, 8, 8)
    steps[..., 4:] = 0.02  # a tenth of the range, on one half; one step in seven along a row
    scene = replace(scene, face=replace(scene.face, displacement=steps))
    assert Displacement(1, 0)(scene).item() == pytest.approx(0.1 / 2)
    assert Displacement(0, 1)(scene).item() == pytest.approx(0.1 / 7)
    assert Displacement(2, 3)(scene).item() == pytest.approx(0.1 + 0.3 / 7)


def test_no_displacement_costs_nothing() -> None:
    assert Displacement()(perfect_scene(8)).item() == 0


def test_albedo_costs_its_lopsidedness_and_variation() -> None:
    scene = perfect_scene(8)
    albedo = torch.zeros(2, 3, 8, 8)
    albedo[..., :4] = 0.7
    scene = replace(scene, face=replace(scene.face, albedo=albedo))
    assert AlbedoRegularity(1, 0)(scene).item() == pytest.approx(0.7)
    assert AlbedoRegularity(0, 1)(scene).item() == pytest.approx(0.1)
    even = replace(scene, face=replace(scene.face, albedo=torch.full_like(albedo, 0.3)))
    assert AlbedoRegularity(1, 1)(even).item() == 0


class Corner(nn.Module):
    """An embedding: one pixel's red and green."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return self.weight * photo[:, :2, 0, 0]


@pytest.mark.parametrize(
    "drawn, expected", [((0.5, 0.0), 0.0), ((0.0, 0.5), 1.0), ((0.3, 0.3), 1 - 0.5**0.5)]
)
def test_identity_is_the_angle_between_embeddings(drawn: tuple, expected: float) -> None:
    scene = perfect_scene(8)
    photo = torch.tensor([0.8, 0.0, 0.1])[:, None, None].expand(2, 3, 8, 8)
    image = torch.tensor([*drawn, 0.9])[:, None, None].repeat(2, 1, 8, 8).requires_grad_()
    own = Rendering(image, torch.ones(2, 1, 8, 8), scene.rendering.depth)
    part = Identity(Corner(), weight=2.0).train()
    loss = part(replace(scene, target=photo, rendering=own))
    assert loss.item() == pytest.approx(2 * expected, abs=1e-6)
    loss.backward()
    assert part.embedding.weight.grad is None, "the embedding is frozen"
