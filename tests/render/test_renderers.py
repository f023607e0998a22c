"""The renderers' common behaviour and options."""

import math
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from l2rkit.errors import PartError
from l2rkit.geometry import move_back, normals, rotation, unproject, view_of
from l2rkit.render import GridRenderer, PyTorch3DRenderer, TorchRenderer, normals_in_view
from l2rkit.render.warp import stretched
from l2rkit.structures import BACKGROUND, Face, Light
from l2rkit.testing import example_face


def cliff(size: int = 32) -> Face:
    """A plane at 1.05 with a square block before it, 0.1 nearer: white on black."""
    depth = torch.full((1, 1, size, size), 1.05)
    albedo = torch.zeros(1, 3, size, size)
    block = slice(size * 3 // 8, size * 5 // 8)
    depth[..., block, block] = 0.95
    albedo[..., block, block] = 1
    light = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0, -1]]))
    return Face(depth, albedo, light, torch.zeros(1, 6))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    yaw=st.floats(-90, 90),
    pitch=st.floats(-45, 45),
    size=st.sampled_from([None, 11, 40]),
)
def test_torch_draws_what_grid_draws_with_the_same_gradients(seed, yaw, pitch, size):
    noise = 0.05 * torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    found = []
    for renderer in (GridRenderer(size), TorchRenderer(size)):
        depth = (example_face(16).depth + noise).requires_grad_()
        view = view_of(yaw, pitch).repeat(2, 1).requires_grad_()
        seen = renderer(replace(example_face(16), depth=depth, view=view))
        (seen.image * seen.mask).square().sum().backward()
        found.append((seen.depth, seen.mask, seen.image * seen.mask, depth.grad, view.grad))
    for ours, theirs in zip(*found):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("size", [24, 64, 100])
def test_the_picture_may_be_of_another_size(size):
    """A plane that fills the picture shows the same ramp at every size."""
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    face = replace(cliff(), depth=torch.ones(1, 1, 32, 32), albedo=ramp.clone())
    seen = GridRenderer(size)(face)
    assert seen.image.shape == (1, 3, size, size)
    expected = torch.linspace(0, 1, size).expand(1, 3, size, size)
    torch.testing.assert_close(seen.image, expected, atol=1e-4, rtol=0)
    assert seen.mask.min() == 1


def test_supersampling_averages_edges_and_keeps_planes():
    """A black and white edge half a pixel off: grey with it, black or white without."""
    albedo = torch.zeros(1, 3, 33, 33)
    albedo[..., 17:] = 1
    face = replace(cliff(), depth=torch.ones(1, 1, 33, 33), albedo=albedo)
    inside = (..., slice(2, -2), slice(2, -2))
    plain, fine = GridRenderer(129)(face), GridRenderer(33, supersample=4)(face)
    assert fine.image.shape == (1, 3, 33, 33)
    torch.testing.assert_close(fine.depth[inside], face.depth[inside])
    # Pixel 16 is black at its centre and bilinear albedo reaches 0.5 at its right edge: the mean of
    # 0, 0, 0.125, 0.375 is 0.125.
    assert fine.image[0, 0, 16, 15:19].tolist() == pytest.approx([0, 0.125, 0.875, 1], abs=1e-4)
    assert plain.image.shape[-1] == 129
    # A pixel that reaches over the mesh's end is not wholly covered.
    assert fine.mask[0, 0, 0].sum() == 0 and fine.mask[inside].min() == 1
    assert (fine.depth[fine.mask == 0] == BACKGROUND).all()


def test_supersampled_points_lie_around_the_pixels_centre():
    """A tilted plane is averaged to what it is at the centre."""
    line = 1 / (1 - 0.3 * torch.linspace(-0.0875, 0.0875, 33))
    face = replace(cliff(), depth=line.expand(1, 1, 33, 33), albedo=torch.ones(1, 3, 33, 33))
    for k in (2, 3):
        seen = GridRenderer(supersample=k)(face)
        inside = seen.mask > 0
        assert inside.sum() > 31 * 31 - 1
        torch.testing.assert_close(seen.depth[inside], face.depth[inside], atol=2e-6, rtol=0)


def test_stretched_triangles_are_those_on_the_cliff():
    face = cliff()
    steep = stretched(face.depth, 80).view(31, 31, 2)
    block = range(12, 20)
    for row in range(31):
        for col in range(31):
            depths = [face.depth[0, 0, r, c].item() for r in (row, row + 1) for c in (col, col + 1)]
            first = len({depths[0], depths[2], depths[1]}) > 1
            second = len({depths[1], depths[2], depths[3]}) > 1
            assert steep[row, col].tolist() == [first, second], (row, col)
    assert len(block) ** 2 == (face.depth < 1).sum()


def test_no_streak_is_left_between_a_block_and_what_is_behind_it():
    face = cliff().with_view(view_of(yaw_deg=30))
    streaky, clean = GridRenderer()(face), GridRenderer(max_slope_deg=80)(face)
    middle = (0, 0, 16)
    gone = (streaky.mask[middle] > 0) & (clean.mask[middle] == 0)
    assert gone.sum() >= 3

    def strays(seen):
        """How many pixels lie neither on the block nor on the plane, once turned back."""
        level = move_back(unproject(seen.depth), face.view)[:, 2:][seen.mask > 0]
        return (((level - 0.95).abs() > 1e-4) & ((level - 1.05).abs() > 1e-4)).sum()

    assert strays(streaky) > 20 and strays(clean) == 0
    # What a block hides and nobody saw stays empty rather than invented.
    assert (clean.depth[clean.mask == 0] == BACKGROUND).all()


@pytest.mark.parametrize("yaw, pitch", [(90, 0), (-90, 0), (0, 45), (60, -45), (180, 0)])
def test_views_from_anywhere_are_defined(yaw, pitch):
    seen = GridRenderer(48, supersample=2, max_slope_deg=80)(
        example_face(32).with_view(view_of(yaw, pitch))
    )
    for value in (seen.image, seen.depth, seen.mask):
        assert value.isfinite().all()
    assert seen.mask.any()


def test_normals_turn_with_the_face():
    face = replace(cliff(), depth=torch.ones(1, 1, 32, 32)).with_view(view_of(yaw_deg=20))
    seen = GridRenderer()(face)
    turned = normals_in_view(face, seen.depth)
    expected = rotation(face.view[:, :3])[0] @ torch.tensor([0.0, 0, -1])
    inside = seen.mask[0, 0] > 0
    torch.testing.assert_close(turned[0][:, inside].T, expected.expand(int(inside.sum()), 3))
    assert (torch.tensor([0.0, 0, -1]) == turned[0][:, ~inside].T).all()
    still = example_face(32).with_view(torch.zeros(6))
    torch.testing.assert_close(
        normals_in_view(still, GridRenderer()(still).depth), normals(still.depth), atol=5e-3, rtol=0
    )


@pytest.mark.parametrize("renderer", [GridRenderer, TorchRenderer])
def test_what_cannot_be_drawn_is_said_or_empty(renderer):
    face = example_face(16)
    whole = renderer()(face)
    for value in (math.nan, math.inf):
        depth, view = face.depth.clone(), face.view.clone()
        depth[0, 0, 3, 3] = view[0, 5] = value
        for bad in (replace(face, depth=depth), face.with_view(view)):
            drawn = renderer()(bad)
            assert drawn.image[0].isnan().all() and drawn.depth[0].isnan().all()
            assert torch.equal(drawn.image[1], whole.image[1]), "the other is as before"
            assert torch.equal(drawn.depth[1], whole.depth[1]) and drawn.mask.isfinite().all()
            assert (drawn.image - 0.5).mul(drawn.mask).mean().isnan(), "no loss can overlook it"
    one = torch.ones(2, 1, 1, 1)
    with pytest.raises(ValueError, match="maps of at least 2 pixels, not 1"):
        renderer()(replace(face, depth=one, albedo=one.expand(2, 3, 1, 1), confidence=None))
    outside = renderer()(face.with_view(torch.tensor([0, 0, 0, 9.0, 0, 0])))
    assert outside.mask.sum() == 0 and (outside.depth == BACKGROUND).all()
    none = replace(
        face,
        depth=face.depth[:0],
        albedo=face.albedo[:0],
        view=face.view[:0],
        light=Light(*(value[:0] for value in vars(face.light).values())),
        confidence=None,
    )
    assert renderer()(none).image.shape == (0, 3, 16, 16)
    for wrong in (dict(size=1), dict(supersample=0)):
        with pytest.raises(ValueError, match=renderer.__name__):
            renderer(**wrong)


def test_grids_of_more_than_a_thousand_pixels():
    face = example_face(1100, batch=1)
    seen = GridRenderer(64)(face)
    torch.testing.assert_close(seen.depth, TorchRenderer(64)(face).depth)
    assert seen.mask.any()


@pytest.mark.skipif(find_spec("pytorch3d") is not None, reason="PyTorch3D is installed")
def test_without_pytorch3d_its_renderer_says_so():
    with pytest.raises(PartError, match="PyTorch3DRenderer needs PyTorch3D"):
        PyTorch3DRenderer()(example_face(16))
