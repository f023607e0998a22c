"""FittedLight removes light from albedo and keeps the look."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from l2rkit.geometry import normals, view_of
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.surface import canonical_depth
from l2rkit.refine import FittedLight
from l2rkit.render.light import without_light
from l2rkit.render.shading import shade
from l2rkit.render.unwrap import visibility
from l2rkit.structures import Face, Light

SIZE = 64
AMBIENT = Light(torch.ones(2), torch.zeros(2), torch.tensor([[0.0, 0.0, -1.0]] * 2))
LEFT_RIGHT = normalize(torch.tensor([[-0.8, -0.2, -1.0], [0.8, -0.2, -1.0]]), dim=1)
LIT = Light(torch.full((2,), 0.55), torch.full((2,), 0.5), LEFT_RIGHT)


def mean_faces() -> tuple[torch.Tensor, torch.Tensor]:
    return canonical_depth(torch.from_numpy(MEAN_FACE).expand(2, -1, -1), SIZE)


def looking(albedo: torch.Tensor) -> tuple[Face, torch.Tensor]:
    """Two faces lit from the left and from the right, their light in the albedo; the region."""
    depth, region = mean_faces()
    look = shade(albedo, normals(depth), LIT).clamp(0, 1)
    return Face(depth, look, AMBIENT, torch.zeros(2, 6)), region


def test_the_look_stays_and_so_do_depth_and_view():
    face, _ = looking(torch.full((2, 3, SIZE, SIZE), 0.4))
    better = FittedLight()(face, torch.zeros(2, 3, SIZE, SIZE))
    look = shade(better.albedo, normals(better.depth), better.light)
    torch.testing.assert_close(look, face.albedo, atol=1e-5, rtol=0)
    assert torch.equal(better.depth, face.depth) and torch.equal(better.view, face.view)


def test_what_is_left_of_a_shadow_is_less_than_a_third():
    face, region = looking(torch.full((2, 3, SIZE, SIZE), 0.4))
    better = FittedLight()(face, torch.zeros(2, 3, SIZE, SIZE))
    before, after = (uneven(a, region) for a in (face.albedo, better.albedo))
    assert (before > 0.05).all() and (after < before / 3).all()


def test_of_a_strong_light_more_is_left_the_lower_its_limit():
    depth, region = mean_faces()
    strong = Light(torch.full((2,), 0.35), torch.full((2,), 0.9), LEFT_RIGHT)
    look = shade(torch.full((2, 3, SIZE, SIZE), 0.4), normals(depth), strong).clamp(0, 1)
    face, photo = Face(depth, look, AMBIENT, torch.zeros(2, 6)), torch.zeros(2, 3, SIZE, SIZE)
    left = []
    for limit in (0.3, 0.5, 0.8):
        better = FittedLight(strongest=limit)(face, photo)
        assert (better.light.diffuse <= limit + 1e-6).all()
        left.append(uneven(better.albedo, region) / uneven(look, region))
    assert (left[0] > 0.6).all() and (left[1] < 0.5).all() and (left[2] < 0.3).all()
    with pytest.raises(ValueError, match="strongest is 0 or more, not -1"):
        FittedLight(strongest=-1)


def test_a_face_without_shading_keeps_its_albedo_nearly():
    depth, region = mean_faces()
    flat = Face(depth, torch.full((2, 3, SIZE, SIZE), 0.5), AMBIENT, torch.zeros(2, 6))
    better = FittedLight()(flat, torch.zeros(2, 3, SIZE, SIZE))
    assert ((better.albedo - 0.5).abs() * region).max() < 0.06


def test_dark_and_bright_faces_stay_finite():
    depth, _ = mean_faces()
    for colour in (0.0, 1.0):
        face = Face(depth, torch.full((2, 3, SIZE, SIZE), colour), AMBIENT, torch.zeros(2, 6))
        better = FittedLight()(face, torch.zeros(2, 3, SIZE, SIZE))
        assert torch.isfinite(better.albedo).all() and torch.isfinite(better.light.packed()).all()


def test_gradients_reach_albedo_and_depth():
    face, _ = looking(torch.full((2, 3, SIZE, SIZE), 0.4))
    depth, albedo = face.depth.requires_grad_(), face.albedo.requires_grad_()
    better = FittedLight()(replace(face, depth=depth, albedo=albedo), torch.zeros(2, 3, SIZE, SIZE))
    better.albedo.square().sum().backward()
    assert depth.grad.abs().sum() > 0 and albedo.grad.abs().sum() > 0


def test_colours_are_divided_by_no_less_than_the_darkest_shading():
    depth, _ = mean_faces()
    none = Light(torch.zeros(2), torch.zeros(2), LEFT_RIGHT)
    albedo = without_light(torch.full((2, 3, SIZE, SIZE), 0.15), normals(depth), none)
    torch.testing.assert_close(albedo, torch.full_like(albedo, 0.5))


def uneven(albedo: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """(B,): how far the halves of each face differ."""
    off = (albedo - albedo.flip(-1)).abs() * region * region.flip(-1)
    return off.sum((1, 2, 3)) / (3 * region.sum((1, 2, 3)))


def test_what_the_photo_does_not_show_gives_no_light():
    """The far half of a turned head has another colour, a guess, which changes nothing."""
    face, _ = looking(torch.full((2, 3, SIZE, SIZE), 0.4))
    face = face.with_view(view_of(60.0))
    photo = torch.zeros(2, 3, SIZE, SIZE)
    shown = visibility(face.depth, face.view, SIZE)
    guessed = torch.where(shown > 0, face.albedo, 0.9)
    assert (shown == 0).float().mean() > 0.1
    lights = [FittedLight()(replace(face, albedo=a), photo).light for a in (face.albedo, guessed)]
    torch.testing.assert_close(lights[1].packed(), lights[0].packed())
