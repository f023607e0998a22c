"""Depth and colour in other views, on surfaces with known values."""

import math

import pytest
import torch

from l2rkit.geometry import focal, move, normals, project, rays, rotation, unproject, view_of
from l2rkit.metrics.masks import inner
from l2rkit.render import GridRenderer, rasterize_grid, warp
from l2rkit.render.warp import warp_depth, warp_to_canonical, warp_to_view
from l2rkit.structures import BACKGROUND, Face, Light

DOUBLE = torch.float64
AMBIENT = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0, -1]]))


def sphere(size, centre=(0.0, 0.0, 1.05), radius=0.11):
    """The depth of a sphere's front; `FAR`-ish 1.1 off it."""
    ray, middle = rays(size, torch.ones(1, dtype=DOUBLE))[0], torch.tensor(centre, dtype=DOUBLE)
    a, b = (ray**2).sum(0), torch.einsum("chw,c->hw", ray, middle)
    inside = b**2 - a * (middle @ middle - radius**2)
    front = (b - inside.clamp(min=0).sqrt()) / a
    return torch.where(inside > 0, front, 1.1)[None, None], inside > 0


def bumps(size, dtype=torch.float32):
    """A smooth, lopsided surface."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size, dtype=dtype)] * 2, indexing="ij")
    depth = 1 - 0.03 * torch.exp(-3 * ((x - 0.2) ** 2 + y**2)) + 0.01 * torch.sin(2 * x + y)
    return depth[None, None]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_unmoved_face_renders_to_itself(size):
    torch.manual_seed(0)
    view, image = torch.zeros(1, 6), torch.rand(1, 3, size, size)
    seen = warp_depth(bumps(size), view, size, rasterize_grid)
    torch.testing.assert_close(seen, bumps(size), atol=1e-6, rtol=0)
    torch.testing.assert_close(warp_to_view(image, seen, view), image, atol=2e-3, rtol=0)
    rough = 0.9 + 0.2 * torch.rand(1, 1, size, size, dtype=DOUBLE)
    seen = warp_depth(rough, view.double(), size, rasterize_grid)
    torch.testing.assert_close(seen, rough)
    torch.testing.assert_close(warp_to_view(image.double(), seen, view.double()), image.double())


def test_a_shift_by_whole_pixels():
    size, step = 32, 3
    depth, image = torch.ones(1, 1, size, size, dtype=DOUBLE), torch.rand(1, 3, size, size)
    view = torch.zeros(1, 6, dtype=DOUBLE)
    view[0, 3], view[0, 4] = step / focal(size), 1 / focal(size)  # 3 pixels right, 1 down
    seen = warp_depth(depth, view, size, rasterize_grid)
    assert (seen[..., :1, :] == BACKGROUND).all() and (seen[..., :step] == BACKGROUND).all()
    torch.testing.assert_close(seen[..., 1:, step:], depth[..., 1:, step:])
    moved = warp_to_view(image.double(), seen, view)
    torch.testing.assert_close(moved[..., 1:, step:], image.double()[..., :-1, :-step])


def test_a_face_that_comes_nearer_is_nearer_by_as_much():
    view = torch.tensor([[0, 0, 0, 0, 0, -0.04]])
    seen = warp_depth(torch.ones(1, 1, 32, 32), view, 32, rasterize_grid)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.96))


@pytest.mark.parametrize("yaw, pitch, roll", [(20, 0, 0), (0, 15, 0), (-10, 10, 30)])
def test_a_turned_plane_is_the_turned_plane(yaw, pitch, roll):
    view = view_of(yaw, pitch, roll)[None].double()
    seen = warp_depth(torch.ones(1, 1, 64, 64, dtype=DOUBLE), view, 64, rasterize_grid)
    normal = rotation(view[:, :3])[0] @ torch.tensor([0, 0, -1.0], dtype=DOUBLE)
    expected = normal[2] / torch.einsum("c,chw->hw", normal, rays(64, view)[0])
    mask = seen[0, 0] < BACKGROUND
    assert mask[12:52, 12:52].all()
    torch.testing.assert_close(seen[0, 0][mask], expected[mask], atol=1e-6, rtol=0)
    facing = normals(seen)[:, :, inner(mask[None, None].double())[0, 0] > 0]
    torch.testing.assert_close(facing, normal[None, :, None].expand_as(facing))


def test_a_turned_sphere_is_the_same_sphere_elsewhere():
    size, yaw = 128, math.radians(25)
    depth, on = sphere(size, centre=(0, 0, 1.05), radius=0.08)
    view = view_of(yaw_deg=25)[None].double()
    seen = warp_depth(depth, view, size, rasterize_grid)[0, 0]
    centre = (0.05 * math.sin(yaw), 0.0, 1 + 0.05 * math.cos(yaw))
    expected, on_it = sphere(size, centre, radius=0.08)
    # Away from the silhouette, and on the side that the canonical view saw, too.
    patch = (slice(40, 88), slice(50, 90))
    assert on.any() and on_it[patch].all()
    torch.testing.assert_close(seen[patch], expected[0, 0][patch], atol=2e-4, rtol=0)


def test_background_is_outside_the_mask_and_masks_of_both_flips_differ():
    ramp = (1 + 0.05 * torch.linspace(-1, 1, 32)).expand(1, 1, 32, 32)  # right is farther
    face = Face(ramp, torch.rand(1, 3, 32, 32), AMBIENT, view_of(yaw_deg=30)[None])
    own, mirrored = GridRenderer()(face), GridRenderer()(face.mirrored())
    for seen in (own, mirrored):
        assert set(seen.mask.unique().tolist()) == {0.0, 1.0}
        assert (seen.depth[seen.mask == 0] == BACKGROUND).all()
        assert (seen.depth[seen.mask == 1] < BACKGROUND).all()
    assert not torch.equal(own.mask, mirrored.mask)
    # Mirroring the view as well mirrors the picture.
    back = face.mirrored().with_view(view_of(yaw_deg=-30))
    torch.testing.assert_close(GridRenderer()(back).depth, own.depth.flip(-1), atol=1e-5, rtol=0)


def test_gradients_of_depth_albedo_light_and_view():
    """Central differences in float64, away from silhouettes."""
    torch.manual_seed(0)
    size, depth = 7, bumps(7, DOUBLE)
    view = torch.tensor([[0.11, 0.17, 0.05, 0.003, -0.002, 0.01]], dtype=DOUBLE)
    albedo = torch.rand(1, 3, size, size, dtype=DOUBLE)
    light = [torch.tensor(v, dtype=DOUBLE) for v in ([0.5], [0.6], [[0.36, 0.48, -0.8]])]
    inputs = [value.requires_grad_() for value in (depth, albedo, view, *light)]

    def render(depth, albedo, view, *light):
        return GridRenderer()(Face(depth, albedo, Light(*light), view))

    with torch.no_grad():
        inside = inner(render(*inputs).mask)
    assert inside.sum() > 8

    def pictures(*values):
        seen = render(*values)
        assert seen.image.dtype == DOUBLE
        return seen.image * inside, seen.depth * inside

    assert torch.autograd.gradcheck(pictures, inputs, eps=1e-7, atol=1e-5, rtol=1e-4)


def test_gradients_are_finite_when_nothing_is_seen():
    view = torch.tensor([[0.0, 0, 0, 1, 0, 0]], requires_grad=True)
    depth = torch.ones(1, 1, 16, 16, requires_grad=True)
    seen = GridRenderer()(Face(depth, torch.rand(1, 3, 16, 16), AMBIENT, view))
    assert seen.mask.sum() == 0
    (seen.image.mean() + seen.depth.mean()).backward()
    assert view.grad.isfinite().all() and depth.grad.isfinite().all()


def test_what_is_carried_back_is_what_was_seen():
    """A canonical texture, drawn turned and carried back, is the texture again where it is seen."""
    size, view = 64, view_of(yaw_deg=12, pitch_deg=-6)[None]
    y, x = torch.meshgrid(*[torch.linspace(0, 3, size)] * 2, indexing="ij")
    image = torch.stack([x.sin(), y.cos(), (x - y).sin()])[None]
    seen = warp_depth(bumps(size), view, size, rasterize_grid)
    photo = warp_to_view(image, seen, view)
    back = warp_to_canonical(photo, bumps(size), view)
    middle = (..., slice(16, 48), slice(16, 48))
    torch.testing.assert_close(back[middle], image[middle], atol=5e-3, rtol=0)
    shifted = warp_to_canonical(photo, bumps(size) * 1.01, view)
    assert (shifted - image)[middle].abs().max() > 5e-3, "another depth carries elsewhere"


@pytest.mark.parametrize("yaw", [0, 40, 80])
def test_depths_of_all_pixels_are_those_of_covered_ones_to_the_bit(yaw):
    """As on a GPU and on a CPU; triangles that are not drawn may have any corners."""
    torch.manual_seed(0)
    depth = bumps(24) + 0.02 * torch.rand(3, 1, 24, 24)
    points = project(move(unproject(depth), view_of(yaw)[None]), 20)
    points[0, 2, :3, :3] = math.nan
    points[1, :, 20:, 20:] = math.inf
    face = rasterize_grid(points.permute(0, 2, 3, 1), 20)
    assert (face < 0).any() and (face >= 0).any()
    found = []
    for depth_of in (warp._of_covered, warp._of_all):
        leaf = points.clone().requires_grad_()
        seen = depth_of(leaf, face)
        (seen * torch.linspace(0, 1, 20)).sum().backward()
        found.append((seen, leaf.grad))
    for ours, theirs in zip(*found):
        assert torch.equal(ours, theirs) and ours.isfinite().all()
