"""`tools/analysis/relighting.py` on symmetric faces whose light is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from l2rkit.geometry import normals
from l2rkit.refine.unwrapped_albedo import ambient
from l2rkit.render.shading import shade
from l2rkit.structures import Face, Light
from l2rkit.testing import example_face
from tools.analysis.relighting import differences, said

SIZE = 32
REGION = torch.ones(1, 1, SIZE, SIZE)


@pytest.fixture
def face() -> Face:
    """Symmetric shape and albedo, seen from the front, lit from one side."""
    face = example_face(SIZE, 1)
    depth = (face.depth + face.depth.flip(-1)) / 2
    albedo = (face.albedo + face.albedo.flip(-1)) / 2 * 0.5 + 0.1
    direction = torch.nn.functional.normalize(torch.tensor([[0.8, 0.1, -0.6]]), dim=1)
    light = Light(torch.tensor([0.5]), torch.tensor([0.5]), direction)
    return replace(face, depth=depth, albedo=albedo, light=light, view=torch.zeros(1, 6))


def test_a_separated_light_leaves_no_difference(face: Face) -> None:
    before, after = differences(face, REGION)
    assert before > 1 and after < 0.01


def test_a_light_in_the_albedo_leaves_all_of_it(face: Face) -> None:
    look = shade(face.albedo, normals(face.depth), face.light)
    before, after = differences(replace(face, albedo=look, light=ambient(face.light)), REGION)
    assert after == pytest.approx(before.item())
    assert before == pytest.approx(differences(face, REGION)[0].item(), rel=1e-4)


def test_only_the_region_counts(face: Face) -> None:
    none = torch.zeros(1, 1, SIZE, SIZE)
    assert differences(face, none).tolist() == [[0], [0]]


def test_the_reduction_is_said_in_percent() -> None:
    before = np.full(8, 4.0)
    assert said(before, before / 4) == "4.00 -> 1.00, less by 75 [75, 75] %"
