"""Photometric stereo of random people under random lights with a known common shape."""

import torch

from l2rkit.geometry import normals, view_of
from l2rkit.refine import SharedDepthOffset
from l2rkit.refine.photometric_stereo import photometric_stereo, without_ambiguity
from l2rkit.refine.shared_depth import CanonicalObservations, canonical_observations
from l2rkit.render.grid import rasterize_grid
from l2rkit.render.shading import shading
from l2rkit.structures import BACKGROUND, Face, Light
from l2rkit.testing import check_refiner, example_face

SIZE, PEOPLE = 32, 150


def shape(jaw):
    """(1, 1, SIZE, SIZE): a bowl with a nose, and a jaw that recedes by more or less."""
    line = torch.linspace(-1, 1, SIZE)
    y, x = torch.meshgrid(line, line, indexing="ij")
    nose = 0.01 * (-8 * (x**2 + y**2)).exp()
    return (0.98 + 0.05 * x**2 + 0.02 * y**2 + jaw * (y - 0.5).clamp(min=0) ** 2 - nose)[None, None]


def observations(true, given, spread=0.1):
    """People of one shape, each of an albedo, in a light; `given` is taken for their shape."""
    draws = torch.Generator().manual_seed(0)
    slopes = torch.randn(PEOPLE, 2, generator=draws) * 0.5
    direction = torch.cat([slopes, -torch.ones(PEOPLE, 1)], 1)
    light = Light(
        torch.full((PEOPLE,), 0.45),
        torch.full((PEOPLE,), 0.55),
        torch.nn.functional.normalize(direction, dim=1),
    )
    skin = 0.3 * torch.rand(1, 1, SIZE, SIZE, generator=draws)
    own = spread * torch.randn(PEOPLE, 1, SIZE, SIZE, generator=draws)
    tone = torch.randn(PEOPLE, 1, 1, 1, generator=draws)
    luminance = shading(normals(true), light).log() + skin + own + tone
    return CanonicalObservations(luminance, torch.ones_like(luminance), 0.6 * slopes, given)


def error(got, true):
    """Root mean square inside the picture, apart from place, scale and tilt."""
    return (got + without_ambiguity(true - got, got) - got)[..., 2:-2, 2:-2].std().item()


def test_a_receding_jaw_is_found_by_its_shading():
    true, given = shape(jaw=0.05), shape(jaw=0.25)
    misfits = []
    found = photometric_stereo(
        observations(true, given), 8, lambda at, misfit: misfits.append(misfit)
    )
    assert misfits[-1] < misfits[0] and len(misfits) == 8
    assert error(given + found, true) < 0.4 * error(given, true)
    torch.testing.assert_close(found, found.flip(-1), atol=1e-6, rtol=0)


def test_a_shape_that_is_right_stays():
    true = shape(jaw=0.05)
    found = photometric_stereo(observations(true, true), 4)
    assert error(true + found, true) < 0.25 * error(shape(jaw=0.25), true)


def test_what_nobody_shows_is_not_made_up():
    true, given = shape(jaw=0.05), shape(jaw=0.25)
    observed = observations(true, given)
    nothing = CanonicalObservations(
        torch.zeros_like(observed.luminance), 0 * observed.seen, observed.slopes, given
    )
    assert photometric_stereo(nothing, 2).abs().max() < 1e-4


def test_place_scale_and_tilt_are_held():
    depth = shape(jaw=0.05)
    row = torch.linspace(-1, 1, SIZE)[:, None].expand(SIZE, SIZE)
    undetermined = 0.2 * depth + 0.03 * row + 0.01
    assert without_ambiguity(undetermined, depth).abs().max() < 1e-4


def test_canonical_pixels_are_seen_where_nothing_hides_them():
    """A wall beside a plane, turned away: what lies behind the wall is not counted."""
    depth = torch.ones(1, 1, SIZE, SIZE)
    depth[..., :16] -= 0.04
    light = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.6, 0.0, -0.8]]))
    ahead = Face(depth, torch.full((1, 3, SIZE, SIZE), 0.5), light, view_of()[None])
    photo = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    seen = canonical_observations(photo, ahead, rasterize_grid)
    inner = (..., slice(1, -1), slice(1, 14))
    assert seen.seen[inner].all()
    expected = photo.mean(1, keepdim=True).clamp(min=0.03).log()
    torch.testing.assert_close(seen.luminance, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(seen.slopes, torch.tensor([[0.75, 0.0]]))
    hidden = {}
    for yaw in (-40.0, 40.0):
        turned = canonical_observations(
            photo, ahead.with_view(view_of(yaw_deg=yaw)), rasterize_grid
        )
        hidden[yaw] = int((turned.seen[..., 4:-4, 17:22] == 0).sum())
        torch.testing.assert_close(turned.slopes, seen.slopes)  # the light turns with the face
    assert min(hidden.values()) == 0 < 60 < max(hidden.values())
    assert (depth < BACKGROUND).all()


def test_observations_of_batches_are_joined():
    observed = observations(shape(0.05), shape(0.05))
    few = CanonicalObservations(
        observed.luminance[:50], observed.seen[:50], observed.slopes[:50], observed.depth
    )
    rest = CanonicalObservations(
        observed.luminance[50:], observed.seen[50:], observed.slopes[50:], observed.depth + 0.03
    )
    both = CanonicalObservations.joined([few, rest])
    assert torch.equal(both.luminance, observed.luminance)
    torch.testing.assert_close(both.depth, observed.depth + 0.02)


@torch.no_grad()
def moved_by(part, face):
    return part(face, face.albedo).depth - face.depth


def test_a_common_shape_moves_every_face_alike():
    part, face = SharedDepthOffset(size=32), example_face(32, 3)
    assert moved_by(part, face).abs().max() == 0
    part.shape.data[..., 10, 12] = 0.01
    moved = moved_by(part, face)
    torch.testing.assert_close(moved[:, 0, 10, 12], torch.full((3,), 0.01), atol=1e-6, rtol=0)
    assert (moved != 0).sum() == 3
    assert 0 < moved_by(part, example_face(64, 3)).max() <= 0.01 + 1e-6
    check_refiner(part, changes=("depth",))
