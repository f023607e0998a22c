"""Photos unwrapped onto the face that they show, and its visibility."""

import pytest
import torch

from l2rkit.data.heads.dataset import make_images
from l2rkit.geometry import move, normals, project, rotation, unproject, view_of
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.surface import canonical_depth
from l2rkit.render import GridRenderer
from l2rkit.render.unwrap import unwrap, visibility
from l2rkit.structures import Face, Light

SIZE = 96
DEPTH, REGION = canonical_depth(torch.from_numpy(MEAN_FACE)[None], SIZE)
AMBIENT = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0.0, -1.0]]))


def pattern(size: int = SIZE) -> torch.Tensor:
    """(1, 3, S, S): smooth waves, another in each channel."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    waves = [(x / 9).sin(), (y / 7).cos(), ((x + y) / 11).sin()]
    return (torch.stack(waves)[None] / 2 + 0.5).float()


def photo_of(view: torch.Tensor, size: int = SIZE) -> torch.Tensor:
    face = Face(DEPTH, pattern(), AMBIENT, view[None])
    return GridRenderer(size, supersample=2)(face).on_white()


@pytest.mark.parametrize("yaw", [0, 15, -35, 50])
@pytest.mark.parametrize("pitch", [0, 12])
def test_what_is_visible_comes_back_in_its_colours(yaw, pitch):
    view = view_of(yaw, pitch, 5.0) + torch.tensor([0, 0, 0, 0.004, -0.003, 0])
    seen = unwrap(photo_of(view), DEPTH, view[None])
    inside = (REGION * seen.visible) > 0.5
    off = (seen.colour - pattern()).abs().amax(1, keepdim=True)
    assert off[inside].median() < 0.02 and off[inside].quantile(0.9) < 0.09
    shown = (REGION * seen.visible).sum() / REGION.sum()
    assert shown > (0.9 if yaw == 0 else 0.45)


@pytest.mark.parametrize("yaw", [40, 60, -60])
def test_hidden_pixels_are_marked(yaw):
    """Where another colour came back than the face has, the photo does not show the face."""
    view = view_of(yaw)
    seen = unwrap(photo_of(view), DEPTH, view[None])
    wrong = ((seen.colour - pattern()).abs().amax(1, keepdim=True) > 0.25) & (REGION > 0)
    assert wrong.sum() > 20  # something is hidden at all
    assert seen.visible[wrong].mean() < 0.2
    far = slice(0, SIZE // 2) if yaw > 0 else slice(SIZE // 2, None)  # turned away
    half = REGION[..., far] > 0
    there, other = (v[..., far][half].mean() for v in (seen.visible, seen.visible.flip(-1)))
    assert there < other - 0.2


def test_visibility_is_that_of_a_slow_loop():
    """March along each ray to the camera: is a part of the surface in between?"""
    view = view_of(45.0)
    seen = visibility(DEPTH, view[None], SIZE)[0, 0]
    moved = move(unproject(DEPTH), view[None])
    column, row, z = project(moved, SIZE)[0]
    rendered = GridRenderer(SIZE)(Face(DEPTH, pattern(), AMBIENT, view[None])).depth[0, 0]
    turned = rotation(view[None, :3])[0] @ normals(DEPTH)[0].flatten(1)
    facing = -turned[2].view(SIZE, SIZE)
    agree = checked = 0
    for i in range(4, SIZE - 4, 7):
        for j in range(4, SIZE - 4, 7):
            u, v = column[i, j].item(), row[i, j].item()
            if not (1 < u < SIZE - 2 and 1 < v < SIZE - 2):
                continue
            cells = [rendered[int(v) + b, int(u) + a] for a in (0, 1) for b in (0, 1)]
            hidden = z[i, j] - max(cells) > 0.01 or facing[i, j] < 0.05
            clear = z[i, j] - min(cells) < 0.002 and facing[i, j] > 0.4
            if hidden or clear:
                checked += 1
                agree += bool(seen[i, j] < 0.05 if hidden else seen[i, j] > 0.95)
    assert checked > 80 and agree / checked > 0.97


def test_nothing_is_seen_beyond_the_picture():
    view = view_of() + torch.tensor([0, 0, 0, 0.06, 0, 0])  # a third of the picture to the right
    seen = visibility(DEPTH, view[None], SIZE)
    assert seen[..., -20:].max() == 0 and seen[..., 20:60, 10:40].min() > 0.2


def test_the_mirrored_photo_mirrors_all():
    view = view_of(30.0, 5.0)
    seen = unwrap(photo_of(view), DEPTH, view[None])
    turned = view * torch.tensor([1.0, -1, -1, -1, 1, 1])
    other = unwrap(photo_of(view).flip(-1), DEPTH.flip(-1), turned[None]).mirrored()
    torch.testing.assert_close(other.colour, seen.colour, atol=2e-3, rtol=0)
    assert (other.visible - seen.visible).abs().mean() < 5e-3


def test_gradients_reach_the_photo_and_the_view_but_not_by_visibility():
    view = view_of(10.0)[None].requires_grad_()
    photo = photo_of(view_of(10.0)).requires_grad_()
    seen = unwrap(photo, DEPTH, view)
    assert not seen.visible.requires_grad
    seen.colour.square().mean().backward()
    assert view.grad.abs().sum() > 0 and photo.grad.abs().sum() > 0


def test_true_colours_of_heads_come_back():
    """A head as its own photo sees it is a canonical face whose colours are known."""
    sample = next(make_images([0], seed=0, split="test", size=64))
    albedo = torch.from_numpy(sample["albedo"]).permute(2, 0, 1)[None].float()
    depth = torch.from_numpy(sample["depth"])[None, None]
    surface = torch.where(depth < 1.15, depth, 1.06)
    view = view_of(25.0)
    face = Face(surface, albedo, AMBIENT, view[None])
    seen = unwrap(GridRenderer(supersample=2)(face).on_white(), surface, view[None])
    known = (seen.visible > 0.8) & (depth < 1.15)
    off = (seen.colour - albedo).abs().amax(1, keepdim=True)[known]
    assert known.float().mean() > 0.2
    assert off.median() < 0.03 and off.quantile(0.9) < 0.12
