"""Faces of a photo and of its mirror image."""

import torch

from l2rkit.decompose import EquivariantDecomposer, Unsup3DDecomposer
from l2rkit.structures import MIRRORED_LIGHT, MIRRORED_VIEW

SMALL = dict(image_size=32, width=8, encoder_width=8, view_gain=1.0)


def both():
    torch.manual_seed(0)
    plain = Unsup3DDecomposer(**SMALL)
    equivariant = EquivariantDecomposer(**SMALL)
    equivariant.load_state_dict(plain.state_dict())
    return plain, equivariant


def test_the_face_of_the_mirror_image_is_the_mirrored_face():
    plain, equivariant = both()
    photo = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        face, mirrored = equivariant(photo), equivariant(photo.flip(-1))
        alone = plain(photo), plain(photo.flip(-1))
    torch.testing.assert_close(mirrored.depth.flip(-1), face.depth)
    torch.testing.assert_close(mirrored.albedo.flip(-1), face.albedo)
    torch.testing.assert_close(mirrored.view * torch.tensor(MIRRORED_VIEW), face.view)
    light = mirrored.light.packed() * torch.tensor(MIRRORED_LIGHT)
    torch.testing.assert_close(light, face.light.packed())
    for name in ("pixel", "feature"):
        flipped = getattr(mirrored.confidence, name).flip(-1)
        torch.testing.assert_close(flipped, getattr(face.confidence, name))
    difference = alone[1].view * torch.tensor(MIRRORED_VIEW) - alone[0].view
    assert difference.abs().max() > 1e-3  # which the networks alone do not have


def test_it_is_the_mean_of_two_faces():
    plain, equivariant = both()
    photo = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        face, own, other = equivariant(photo), plain(photo), plain(photo.flip(-1))
    torch.testing.assert_close(face.depth, (own.depth + other.depth.flip(-1)) / 2)
    torch.testing.assert_close(face.albedo, (own.albedo + other.albedo.flip(-1)) / 2)
    view = (own.view + other.view * torch.tensor(MIRRORED_VIEW)) / 2
    torch.testing.assert_close(face.view, view)
    assert face.light.direction.norm(dim=1).sub(1).abs().max() < 1e-6


def test_the_view_alone_is_that_of_the_face():
    photo = torch.rand(2, 3, 32, 32)
    for decomposer in both():
        decomposer.eval()
        with torch.no_grad():
            torch.testing.assert_close(decomposer.predict_view(photo), decomposer(photo).view)
