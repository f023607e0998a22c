"""DepthLevel moves faces, keeps their relief, and has the distance of synthetic heads."""

from dataclasses import replace

import pytest
import torch

from l2rkit.data.heads.detailed import detailed_images
from l2rkit.geometry import view_of
from l2rkit.refine import DepthLevel
from l2rkit.refine.depth_level import arm
from l2rkit.render import GridRenderer
from l2rkit.structures import FAR, NEAR, PIVOT
from l2rkit.testing import example_face


def test_the_arm_is_a_mean_over_the_middle() -> None:
    depth = torch.full((2, 1, 32, 32), 1.1)  # ears and neck do not count
    depth[0, :, 8:24, 8:24], depth[1, :, 8:24, 8:24] = 0.95, 0.93
    torch.testing.assert_close(arm(depth), PIVOT[2] - torch.tensor([0.95, 0.93]))


def test_each_face_is_moved_as_a_whole_within_the_range() -> None:
    face = example_face(32, 2)
    depth = 0.97 + 0.02 * torch.rand(2, 1, 32, 32)
    depth[1] += 0.02
    moved = DepthLevel(arm=0.05)(replace(face, depth=depth), None)
    torch.testing.assert_close(arm(moved.depth), torch.full((2,), 0.05))
    shift = (moved.depth - depth).flatten(1)
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))
    assert torch.equal(moved.albedo, face.albedo) and torch.equal(moved.view, face.view)
    near = DepthLevel(arm=0.099)(replace(face, depth=depth), None).depth
    assert near.min() == pytest.approx(NEAR) and near.max() <= FAR


def test_a_longer_arm_moves_a_turned_face_farther_to_the_side() -> None:
    """A turn by a moves a point that is r before the pivot by r sin a."""
    face = replace(example_face(64, 1), depth=torch.full((1, 1, 64, 64), 1.0))
    centres = []
    for length in (0.03, 0.06):
        turned = DepthLevel(length)(face, None).with_view(view_of(20)[None])
        mask = GridRenderer(64)(turned).mask[0, 0]
        centres.append((mask.sum(0) * torch.arange(64)).sum() / mask.sum() - 31.5)
    assert abs(centres[1]) > 1.6 * abs(centres[0]) and centres[0] * centres[1] > 0


def test_heads_that_look_straight_ahead_have_an_arm_of_some_0_064() -> None:
    arms = [
        arm(torch.from_numpy(head["depth"])[None, None]).item()
        for head in detailed_images(range(240), seed=7, split="train", size=64)
        if abs(head["view"][:3]).max() < 0.15
    ]
    assert len(arms) > 30
    assert sum(arms) / len(arms) == pytest.approx(0.064, abs=0.002)
