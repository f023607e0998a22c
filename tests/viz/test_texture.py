"""Detail of photos on a face with known colours."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import max_pool2d

from l2rkit.geometry import view_of
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.surface import canonical_depth
from l2rkit.ops.resize import aligned
from l2rkit.render import GridRenderer
from l2rkit.render.unwrap import visibility
from l2rkit.structures import Face, Light
from l2rkit.viz.texture import agreement, beyond_noise, noise, texture

SIZE, FINE = 48, 192
DEPTH, REGION = canonical_depth(torch.from_numpy(MEAN_FACE)[None].float(), SIZE)
AMBIENT = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0.0, -1.0]]))
LIT = Light(torch.full((1,), 0.6), torch.full((1,), 0.5), torch.tensor([[0.6, 0.0, -0.8]]))
COLUMN = torch.arange(FINE, dtype=torch.float32)
STRIPES = 0.1 * torch.cos(2 * torch.pi * COLUMN / 6).expand(1, 3, FINE, FINE)  # too fine for SIZE
TRUE = 0.45 + 0.1 * torch.cos(COLUMN / 30)[:, None] + STRIPES


def scene(yaw_deg: float, light: Light = AMBIENT) -> tuple[Face, torch.Tensor]:
    """A face with a coarse albedo, and a photo of it in all its colours."""
    view = view_of(yaw_deg)[None]
    fine = Face(aligned(DEPTH, FINE), TRUE, light, view)
    photo = GridRenderer(FINE, supersample=2)(fine).image.clamp(0, 1)
    return Face(DEPTH, aligned(TRUE, SIZE), light, view), photo


def parts(face: Face) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Visibility (1, 1, FINE, FINE), and bool: surely seen within the face, and surely not."""
    shown = aligned(visibility(face.depth, face.view, SIZE), FINE)
    least = -max_pool2d(-shown * aligned(REGION, FINE), 9, 1, 4)
    return shown, least > 0.95, max_pool2d(shown, 9, 1, 4) < 1e-3


def gain(texture: torch.Tensor, albedo: torch.Tensor, where: torch.Tensor) -> float:
    """How strong the stripes are in what was added, 1 as they are."""
    added = (texture - aligned(albedo, FINE))[where.expand(-1, 3, -1, -1)]
    known = STRIPES[where.expand(-1, 3, -1, -1)]
    return float((added * known).sum() / known.square().sum())


@pytest.mark.parametrize("light", [AMBIENT, LIT])
@pytest.mark.parametrize("yaw", [0, 25, -40])
def test_what_the_photo_shows_is_there_and_nothing_where_it_hides_the_face(yaw, light):
    face, photo = scene(yaw, light)
    got = texture(face, photo, FINE)
    _, seen, hidden = parts(face)
    assert seen.sum() > 0.2 * FINE**2 * 0.5
    assert 0.7 < gain(got, face.albedo, seen) < 1.1
    off = (got - TRUE)[seen.expand(-1, 3, -1, -1)].abs()
    plain = (aligned(face.albedo, FINE) - TRUE)[seen.expand(-1, 3, -1, -1)].abs()
    assert off.mean() < 0.6 * plain.mean()
    if yaw:
        assert hidden.sum() > 100
        albedo = aligned(face.albedo, FINE)
        assert (got - albedo)[hidden.expand(-1, 3, -1, -1)].abs().max() < 1e-6


@pytest.mark.parametrize("yaw", [25, -40])
def test_no_seam_is_drawn_where_visibility_ends(yaw):
    face, photo = scene(yaw)
    shown, seen, _ = parts(face)
    added = texture(face, photo, FINE) - aligned(face.albedo, FINE)
    step = (added[..., 1:] - added[..., :-1]).abs().amax(1, keepdim=True)
    ends = ((shown > 1e-3) & (shown < 0.9))[..., 1:]
    assert ends.sum() > 100
    assert step[ends].max() <= step[seen[..., 1:]].max()


def test_of_a_photo_slightly_brighter_than_the_face_only_detail_is_taken():
    face = replace(scene(25)[0], albedo=aligned(TRUE - STRIPES, SIZE))
    plain = replace(face, depth=aligned(face.depth, FINE), albedo=TRUE - STRIPES)
    photo = GridRenderer()(plain).image + 0.008  # a seam, if it were pasted
    _, seen, _ = parts(face)
    off = (texture(face, photo, FINE) - plain.albedo).abs()[seen.expand(-1, 3, -1, -1)]
    assert off.mean() < 1e-3 and off.max() < 6e-3


def test_a_photo_of_no_more_pixels_adds_nothing_whatever_is_asked_for():
    face, photo = scene(10)
    for size in (SIZE, FINE):
        assert torch.equal(texture(face, aligned(photo, SIZE), size), aligned(face.albedo, size))
    assert torch.equal(texture(face, photo, SIZE), face.albedo)


def test_a_large_photo_that_is_blurred_adds_nothing():
    face, photo = scene(10)
    blurred = aligned(aligned(photo, SIZE // 2), FINE)
    off = texture(face, blurred, FINE) - aligned(face.albedo, FINE)
    assert off[REGION.new_ones(1, 3, FINE, FINE) > 0].abs().mean() < 2e-3


def test_noise_of_a_large_photo_is_not_added():
    smooth = aligned(TRUE, SIZE)
    face = Face(torch.ones(1, 1, SIZE, SIZE), smooth, AMBIENT, torch.zeros(1, 6))
    generator = torch.Generator().manual_seed(0)
    grain = 0.1 * torch.randn(1, 3, FINE, FINE, generator=generator)
    photo = aligned(smooth, FINE) + grain
    added = texture(face, photo, FINE) - aligned(smooth, FINE)
    assert added.std() < 0.05 * grain.std()


def test_a_photo_that_the_method_changed_adds_nothing():
    face, photo = scene(10)
    restored = replace(face, albedo=face.albedo + 0.08)
    assert torch.equal(texture(restored, photo, FINE), aligned(restored.albedo, FINE))


def test_agreement_is_that_of_a_neighbourhood():
    one = torch.full((1, 3, 64, 64), 0.5)
    other = one.clone()
    other[..., 40:] += 0.1
    agrees = agreement(one, other)
    assert (agrees[..., :30] == 1).all() and (agrees[..., 45:] == 0).all()
    assert (agrees[..., 1:] <= agrees[..., :-1]).all()


def test_noise_is_measured_beside_edges():
    generator = torch.Generator().manual_seed(0)
    squares = ((COLUMN // 16)[:, None] + COLUMN // 16).remainder(2).expand(1, 3, -1, -1)
    for sigma in (0.0, 0.02, 0.1):
        grain = sigma * torch.randn(1, 3, FINE, FINE, generator=generator)
        assert noise(squares + grain).item() == pytest.approx(sigma, rel=0.1, abs=1e-4)
    assert beyond_noise(grain, noise(grain)).mean() < 0.01
    assert beyond_noise(4 * grain, noise(grain)).min() > 0.7


def test_a_texture_below_the_photo_s_size_keeps_what_it_can_show():
    """Noise is measured at the texture's size, as the detail is."""
    size = FINE // 2
    smooth = torch.full((1, 3, SIZE, SIZE), 0.5)
    face = Face(torch.ones(1, 1, SIZE, SIZE), smooth, AMBIENT, torch.zeros(1, 6))
    grain = torch.randn(1, 3, FINE, FINE, generator=torch.Generator().manual_seed(0))
    added = texture(face, aligned(smooth, FINE) + STRIPES + 0.03 * grain, size)
    added = added - aligned(smooth, size)
    known = aligned(STRIPES, size)
    inner = slice(size // 8, -size // 8)
    added, known = added[..., inner, inner], known[..., inner, inner]
    assert (added * known).sum() / known.square().sum() > 0.3
