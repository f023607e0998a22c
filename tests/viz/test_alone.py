"""Pictures of the face without background: their rim, and no holes."""

from dataclasses import replace

import numpy as np
import torch

from l2rkit.geometry import view_of
from l2rkit.structures import BACKGROUND
from l2rkit.testing import example_face
from l2rkit.viz.alone import FaceAlone, levels
from l2rkit.viz.region import without_holes

SIZE = 48


def face():
    """White in its region, and red in what lies a pixel and more outside it."""
    plain = example_face(SIZE)
    near = torch.nn.functional.max_pool2d((levels(plain) > 0).float(), 5, 1, 2)
    albedo = torch.cat([torch.ones_like(near), near, near], 1)
    light = replace(plain.light, ambient=torch.ones(2), diffuse=torch.zeros(2))
    return replace(plain, albedo=albedo).with_light(light)


def test_no_background_is_drawn_from_any_side():
    for yaw in (-60, -20, 0, 45):
        seen = FaceAlone(96)(face().with_view(view_of(yaw, 10)))
        assert seen.image[:, :1][seen.mask > 0].min() > 0.99
        assert seen.image[:, 1:][(seen.mask > 0).expand(-1, 2, -1, -1)].min() > 0.99
        assert 0.15 < seen.mask.mean() < 0.9


def test_the_region_has_no_holes_and_its_rim_is_soft():
    seen = FaceAlone(96)(face().with_view(view_of(40)))
    covered = (seen.mask[0, 0] > 0).numpy()
    assert (without_holes(covered) == covered).all()
    soft = ((seen.mask > 0) & (seen.mask < 1)).float().mean()
    assert 0 < soft < 0.1
    assert (seen.depth[seen.mask == 0] == BACKGROUND).all()
    assert (seen.depth[seen.mask > 0] < 1.1).all()  # nothing of the empty points is mixed in


def test_from_ahead_it_ends_where_the_level_does():
    one = face().with_view(view_of())
    seen = FaceAlone(SIZE)(one)
    inside = levels(one) > 0
    sure = torch.nn.functional.avg_pool2d(inside.float(), 3, 1, 1)
    assert (seen.mask[sure > 0.99] == 1).all()
    assert (seen.mask[torch.nn.functional.max_pool2d(inside.float(), 3, 1, 1) == 0] == 0).all()


def test_a_steep_nose_leaves_no_slit():
    plain = face()
    depth = plain.depth.clone()
    depth[..., 20:30, 22:26] -= 0.03  # a wall on each side
    seen = FaceAlone(96)(replace(plain, depth=depth).with_view(view_of(35)))
    covered = (seen.mask[0, 0] > 0).numpy()
    assert (without_holes(covered) == covered).all()
    assert np.all(seen.image[seen.mask.expand(-1, 3, -1, -1) > 0].numpy() > 0.99)
