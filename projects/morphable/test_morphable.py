"""The linear model, its renderer and its decomposer, on known meshes and people."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from l2rkit.config import load_config
from l2rkit.errors import ConfigError
from l2rkit.geometry import focal
from l2rkit.structures import FAR, Rendering, Scene
from l2rkit.testing import check_decomposer, check_loss, example_face
from projects.morphable.decomposer import (
    BACKDROP,
    ELSEWHERE,
    ON_FACE,
    MorphableDecomposer,
    drawn,
    on_screen,
)
from projects.morphable.likely import LikelyCodes
from projects.morphable.linear import in_front, learnt, principal


@pytest.fixture(scope="module")
def decomposer():
    torch.manual_seed(0)
    return MorphableDecomposer(32, width=4, identity=4, expression=2, colours=3)


def test_principal_modes_are_those_of_a_known_model():
    """Samples of two orthogonal modes give them back, longest first, one sigma long."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(500, 2))
    codes = (codes - codes.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(codes.T, ddof=0))).T
    first, second = np.zeros((2, 4, 3))
    first[1, 2], second[3, 0] = 3.0, -0.5
    samples = 7 + codes[:, :1, None] * first + codes[:, 1:, None] * second
    mean, modes = principal(samples, 2)
    np.testing.assert_allclose(mean, 7, atol=1e-6)
    np.testing.assert_allclose(modes, [first, -second], atol=1e-5)


def test_what_lies_behind_is_left_out_and_the_rest_renumbered():
    triangles = np.array([[0, 1, 2], [2, 3, 4], [4, 2, 0]], np.int32)
    chosen, kept = in_front(triangles, np.array([True, True, True, False, True]))
    assert kept.tolist() == [0, 1, 2, 4] and chosen.tolist() == [[0, 1, 2], [3, 2, 0]]


def test_the_mean_face_is_in_the_middle_and_its_nose_is_nearest():
    faces = learnt(4, 2, 3)
    nose = faces.points[faces.points[:, 2].argmin()]
    assert abs(nose[0]) < 0.005 and abs(nose[1]) < 0.03 and 0.9 < nose[2] < 1
    red, _, blue = faces.colour[np.linalg.norm(faces.points - nose, axis=1) < 0.02].mean(0)
    assert red > blue + 0.1  # skin


def test_a_tilted_triangle_has_the_depth_and_colours_of_its_plane():
    """Colours are linear in space, so those of each pixel's point on the plane are known."""
    normal, size = np.array([0.3, -0.2, 1.0]), 16
    corners = np.array([[-0.3, -0.3], [0.4, -0.2], [0.0, 0.4]])
    corners = np.c_[corners, 1 - corners @ normal[:2]].astype(np.float32)
    corners[:, 2] = 1 + 0.1 * (corners[:, 2] - 1)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    colours = corners * 0.5 + 0.3
    depth, albedo = drawn(
        torch.from_numpy(corners)[None],
        torch.from_numpy(colours)[None],
        np.array([[0, 1, 2]], np.int32),
        size,
    )
    row, column = np.mgrid[:size, :size]
    line = np.stack([column - 7.5, row - 7.5, np.full_like(row, focal(size), float)], -1)
    line /= focal(size)
    z = (corners[0] @ normal) / (line @ normal)
    seen = depth[0, 0].numpy() < FAR
    assert seen.mean() > 0.9
    np.testing.assert_allclose(depth[0, 0].numpy()[seen], z[seen], atol=1e-5)
    expected = (line * z[..., None] * 0.5 + 0.3)[seen].clip(0, 1)
    np.testing.assert_allclose(albedo[0].permute(1, 2, 0).numpy()[seen], expected, atol=1e-5)
    assert (albedo[0].permute(1, 2, 0).numpy()[~seen] == BACKDROP).all()


def test_gradients_of_the_drawing_are_those_of_differences():
    points = torch.tensor([[[-0.03, -0.02, 1.0], [0.05, -0.03, 1.02], [0.01, 0.04, 0.97]]]).double()
    colours = torch.tensor([[[0.2, 0.5, 0.4], [0.7, 0.3, 0.6], [0.5, 0.6, 0.3]]]).double()
    triangle = np.array([[0, 1, 2]], np.int32)
    weights = torch.rand(1, 4, 7, 7, generator=torch.Generator().manual_seed(0)).double()

    def total(points, colours):
        return (torch.cat(drawn(points, colours, triangle, 7), 1) * weights).sum()

    inputs = points.requires_grad_(), colours.requires_grad_()
    assert torch.autograd.gradcheck(total, inputs, eps=1e-7, atol=1e-4)


def test_the_decomposer_keeps_the_contract(decomposer):
    check_decomposer(decomposer, 32)
    with pytest.raises(ValueError, match=r"expects photos \(B, 3, 32, 32\), not \(1, 3, 64, 64\)"):
        decomposer(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ConfigError, match="at least one mode of each kind, not identity=0"):
        MorphableDecomposer(32, identity=0)


def test_a_mode_moves_vertices_by_itself_and_nothing_else(decomposer):
    codes = torch.zeros(3, 9)
    codes[1, 1], codes[2, 7] = 2.0, 1.0
    points, colours = decomposer.mesh(codes)
    torch.testing.assert_close(points[0], decomposer.points)
    torch.testing.assert_close(points[1] - points[0], 2 * decomposer.identity[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(points[2], points[0])
    torch.testing.assert_close(colours[2] - colours[0], decomposer.colours[1], atol=1e-6, rtol=0)


def test_errors_count_on_the_face_alone_and_there_in_the_photos_view(decomposer):
    points, _ = decomposer.mesh(torch.zeros(2, 9))
    view = torch.zeros(2, 6)
    view[1, 3] = 0.05  # to the right, by this many pixels:
    shift = 0.05 * focal(32)
    pixel = decomposer._confidence(points, view).pixel
    assert set(pixel.unique().tolist()) == {torch.tensor(ON_FACE).item(), ELSEWHERE}
    columns = [(one[0] == pixel.min()).nonzero()[:, 1].float() for one in pixel]
    assert columns[0].mean() == pytest.approx(15.5, abs=0.3)
    assert columns[1].min() - columns[0].min() == pytest.approx(shift, abs=2)
    nose = on_screen(points, 32)[0, points[0, :, 2].argmin()]
    assert pixel[0, 0, int(nose[1]), int(nose[0])] == pixel.min()


def test_the_likeliest_face_is_the_mean_one(decomposer):
    check_loss(LikelyCodes())
    face = decomposer.eval()(torch.rand(2, 3, 32, 32))
    photo = torch.zeros(2, 3, 32, 32)
    seen = Rendering(photo, photo[:, :1], photo[:, :1])
    for codes, expected in ((torch.zeros(2, 9), 0.0), (torch.full((2, 9), -2.0), 0.4)):
        scene = Scene(photo, replace(face, codes=codes), seen)
        assert LikelyCodes(0.1)(scene).item() == pytest.approx(expected)
    assert LikelyCodes()(Scene(photo, example_face(32), seen)) == 0


def test_its_config_loads():
    config = load_config(Path(__file__).with_name("morphable_heads.py"))
    assert config.model.decompose.type is MorphableDecomposer
