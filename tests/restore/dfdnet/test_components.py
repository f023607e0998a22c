"""Boxes of components with known positions, and cuts against slices."""

import pytest
import torch

from l2rkit.restore.dfdnet.components import BOXES, corners, cut, paste, template, windows
from l2rkit.restore.dfdnet.features import STRIDES

# Of 128 px, eyes at (39.68, 49.28) and (88.32, 49.28) px from the top left corner, the nose tip at
# (64, 76.8), the mouth between (42.88, 96.64) and (85.12, 96.64); eyes' boxes are moved up by 4 px,
# the nose's by 6. So first cells are: (39.68 - 24, 49.28 - 4 - 24) = (15.68, 21.28) and so on.
AT_1 = {"left_eye": (16, 21), "right_eye": (64, 21), "nose": (48, 55), "mouth": (40, 73)}
AT_16 = {"left_eye": (1, 1), "right_eye": (4, 1), "nose": (3, 3), "mouth": (2, 5)}


@pytest.mark.parametrize(("stride", "expected"), [(1, AT_1), (16, AT_16)])
def test_boxes_of_the_template_by_hand(stride, expected):
    found = corners(template(128), 128, stride)
    assert {name: tuple(first[0].tolist()) for name, first in found.items()} == expected


def test_boxes_hold_brow_eye_nostrils_and_mouth():
    """Points as shares of the crop that must be in the box, and some that must not.

    Not at the coarsest stride, whose cells are half as large as the nose.
    """
    inside = {
        "left_eye": [(0.17, 0.25), (0.44, 0.42)],
        "right_eye": [(0.83, 0.25), (0.56, 0.42)],
        "nose": [(0.41, 0.63), (0.59, 0.63), (0.5, 0.45)],
        "mouth": [(0.335, 0.755), (0.665, 0.755), (0.5, 0.9)],
    }
    outside = {"left_eye": (0.5, 0.6), "right_eye": (0.5, 0.6), "nose": (0.5, 0.755)}
    outside["mouth"] = (0.31, 0.385)
    for stride in STRIDES[:3]:
        for name, first in corners(template(128), 128, stride).items():
            low = first[0] * stride / 128
            high = low + BOXES[name][0]
            for point in map(torch.tensor, inside[name]):
                assert ((low <= point) & (point <= high)).all(), (name, stride, point)
            point = torch.tensor(outside[name])
            assert not ((low <= point) & (point <= high)).all(), (name, stride)


def test_boxes_follow_the_landmarks_and_stay_inside():
    moved = template(128).repeat(3, 1, 1)
    moved[1, 2] += torch.tensor([6.0, -4.0])  # the nose alone
    moved[2] += 500
    found = corners(moved, 128, 2)
    assert (found["nose"][1] - found["nose"][0]).tolist() == [3, -2]
    assert torch.equal(found["mouth"][1], found["mouth"][0])
    assert found["left_eye"][2].tolist() == [64 - 24] * 2
    assert found["nose"][2].tolist() == [64 - 16] * 2


def test_cutting_and_pasting_are_slices():
    moved = template(128).repeat(2, 1, 1)
    moved[1] += 9
    features = torch.rand(2, 5, 32, 32)
    for name, window in windows(moved, 128, 4).items():
        part = cut(features, window)
        back = paste(part, window)
        for i, (x, y) in enumerate(corners(moved, 128, 4)[name].tolist()):
            box = (slice(None), slice(y, y + part.shape[2]), slice(x, x + part.shape[3]))
            assert torch.equal(part[i], features[i][box])
            expected = torch.zeros(5, 32, 32)
            expected[box] = part[i]
            assert torch.equal(back[i], expected)
