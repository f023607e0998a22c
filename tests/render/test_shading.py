"""Shading from lights in known directions."""

import torch

from l2rkit.geometry import rays
from l2rkit.render import shade, shading
from l2rkit.structures import Light


def sphere_normals(size=33):
    """The front half of a sphere that fills the picture, seen from afar; z = -1 off it."""
    line = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(line, line, indexing="ij")
    z = -(1 - x**2 - y**2).clamp(min=0).sqrt()
    return torch.stack([x, y, z])[None]


def lit_from(x, y, z, ambient=0.0, diffuse=1.0):
    direction = torch.nn.functional.normalize(torch.tensor([[x, y, z]]), dim=1)
    return Light(torch.tensor([ambient]), torch.tensor([diffuse]), direction)


def test_a_sphere_is_bright_on_the_side_of_the_light():
    left = shading(sphere_normals(), lit_from(-1.0, 0, -0.5))[0, 0]
    assert left[16, 4] > 0.9 > 0.1 > left[16, 28]
    above = shading(sphere_normals(), lit_from(0.0, -1, -0.5))[0, 0]
    assert above[4, 16] > 0.9 > 0.1 > above[28, 16]
    ahead = shading(sphere_normals(), lit_from(0.0, 0, -1))[0, 0]
    assert ahead.flatten().argmax() == 16 * 33 + 16
    torch.testing.assert_close(ahead[16, 16], torch.tensor(1.0))


def test_lambert_at_sixty_degrees():
    normal = torch.tensor([0.0, 0, -1])[None, :, None, None]
    got = shading(normal, lit_from(3**0.5, 0, -1, ambient=0.2, diffuse=0.6))
    torch.testing.assert_close(got, torch.full((1, 1, 1, 1), 0.2 + 0.6 * 0.5))


def test_ambient_light_alone_is_albedo_times_ambient():
    albedo = torch.rand(1, 3, 33, 33)
    got = shade(albedo, sphere_normals(), lit_from(1.0, 0, -1, ambient=0.7, diffuse=0.0))
    torch.testing.assert_close(got, 0.7 * albedo)


def test_a_light_behind_leaves_the_ambient_one_and_nothing_is_negative():
    got = shading(sphere_normals(), lit_from(0.0, 0, 1, ambient=0.3, diffuse=5.0))
    torch.testing.assert_close(got, torch.full_like(got, 0.3))
    assert shading(sphere_normals(), lit_from(-1.0, -1, 0)).min() == 0


def test_each_face_of_a_batch_has_its_own_light():
    two = Light(torch.tensor([0.1, 0.2]), torch.zeros(2), torch.tensor([[0.0, 0, -1]] * 2))
    got = shading(rays(4, torch.ones(1)).expand(2, 3, 4, 4), two)
    assert got[:, 0, 0, 0].tolist() == torch.tensor([0.1, 0.2]).tolist()
