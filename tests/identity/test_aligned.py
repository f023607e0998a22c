"""Rendered faces are aligned like photos in any view."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from l2rkit.data.crops import TEMPLATE, fit_similarity, warp
from l2rkit.geometry import focal, view_of
from l2rkit.identity.aligned import aligned_crops, points_of
from l2rkit.landmarks.points import MEAN_FACE, five_points
from l2rkit.render import GridRenderer
from l2rkit.structures import Light
from l2rkit.testing import example_face

SIZE = 64


def smooth(generator, batch=2):
    coarse = torch.rand(batch, 3, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic").clamp(0, 1)


def test_a_drawn_face_is_cut_as_a_photo_is():
    generator = torch.manual_seed(0)
    picture = smooth(generator)
    points = torch.as_tensor(TEMPLATE * SIZE - 0.5).float() * 1.05 + torch.tensor([2.0, -3.0])
    points = points + torch.randn(2, 5, 2, generator=generator)
    crops = aligned_crops(picture, points)
    for photo, landmarks, crop in zip(picture, points, crops):
        matrix = fit_similarity(landmarks.numpy(), TEMPLATE * SIZE - 0.5)
        expected = warp(photo.permute(1, 2, 0).numpy(), matrix, SIZE)
        np.testing.assert_allclose(crop.permute(1, 2, 0), expected, atol=0.02)
        assert abs(crop - photo).max() > 0.1


def test_what_has_no_face_stays_as_it_is():
    picture = smooth(torch.manual_seed(1), batch=3)
    template = torch.as_tensor(TEMPLATE * SIZE - 0.5).float()
    nowhere = torch.stack([template * 0.1, template + SIZE, template[:1].expand(5, 2)])
    torch.testing.assert_close(aligned_crops(picture, nowhere), picture, atol=1e-5, rtol=0)


def test_gradients_reach_the_picture():
    picture = smooth(torch.manual_seed(2)).requires_grad_()
    aligned_crops(picture, torch.as_tensor(TEMPLATE * SIZE + 1).expand(2, 5, 2)).sum().backward()
    assert picture.grad.abs().sum() > 0


@pytest.mark.parametrize("yaw", [0, 30, -30])
def test_points_lie_where_the_turned_face_shows_them(yaw):
    """A dot is painted on each feature of the canonical face, and found in the picture of it."""
    face = example_face(SIZE, batch=1)
    seen = view_of(yaw) + torch.tensor([0, 0, 0, 0.02, -0.01, 0.0])
    grid = five_points(MEAN_FACE / MEAN_FACE[:, 2:]) * focal(SIZE) + (SIZE - 1) / 2
    rows, columns = np.mgrid[:SIZE, :SIZE]
    expected = points_of(face.with_view(seen), SIZE)[0]
    bright = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0.0, -1.0]]))
    for point, (x, y) in zip(expected, grid):
        dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2))
        albedo = torch.from_numpy(dot).float().expand(1, 3, SIZE, SIZE)
        painted = replace(face.with_view(seen), albedo=albedo, light=bright)
        shown = GridRenderer(SIZE, supersample=2)(painted)
        share = (shown.image * shown.mask)[0, 0].double().numpy() ** 4
        middle = [(share * place).sum() / share.sum() for place in (columns, rows)]
        np.testing.assert_allclose(point, middle, atol=0.7)
