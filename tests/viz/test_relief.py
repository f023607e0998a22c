"""The normal map of displacement gives the displaced surface."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import normalize

from l2rkit.geometry import focal, normals, unproject
from l2rkit.ops.resize import aligned
from l2rkit.testing import example_face
from l2rkit.viz.mesh import material, mesh_of, to_bytes
from l2rkit.viz.relief import base_depth, basis, relief

SIZE = 24


def displaced(added: torch.Tensor):
    face = example_face(SIZE)
    return replace(face, depth=face.depth + added, displacement=added)


def bumps() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.002 * torch.randn(2, 1, SIZE, SIZE, generator=generator)


def test_no_displacement_is_the_flat_colour():
    flat = relief(displaced(torch.zeros(2, 1, SIZE, SIZE)))
    expected = torch.tensor([0.5, 0.5, 1])[:, None, None].expand_as(flat)
    torch.testing.assert_close(flat, expected, atol=1e-5, rtol=0)


def test_red_leans_right_and_green_leans_up():
    face = example_face(SIZE)
    step = 1 / focal(SIZE)  # a pixel's width at depth 1
    ramp = torch.arange(SIZE) * step * 0.5
    flat = torch.ones(2, 1, SIZE, SIZE)
    for added, channel in ((ramp.expand_as(flat), 0), (-ramp[:, None].expand_as(flat), 1)):
        # deeper to the right looks to the right; nearer to the bottom looks up
        ramped = replace(face, depth=flat + added - 0.05, displacement=added - 0.05)
        ramped = replace(ramped, depth=base_depth(ramped) + ramped.displacement)
        leaning = relief(ramped)[:, channel, 2:-2, 2:-2] * 2 - 1
        assert (leaning > 0.3).all() and (leaning < 0.6).all()  # about sin(atan(0.5)) = 0.45
        other = relief(ramped)[:, 1 - channel, SIZE // 2, SIZE // 2] * 2 - 1
        assert other.abs().max() < 0.05


def test_a_viewer_gets_the_normals_with_displacement():
    face = displaced(bumps())
    stored = torch.stack([torch.from_numpy(to_bytes(one)) for one in relief(face)]).movedim(3, 1)
    decoded = normalize(stored.float() / 127.5 - 1, dim=1)
    axes = basis(normals(base_depth(face)), unproject(face.depth))
    got = torch.einsum("bkchw,bkhw->bchw", axes, decoded)
    cosine = (got * normals(face.depth)).sum(1)[..., 1:-1, 1:-1]
    assert cosine.min() > 0.9995  # within the rounding to 8 bits
    assert (normals(base_depth(face)) * normals(face.depth)).sum(1).min() < 0.99  # not by itself


def test_the_axes_stand_upright_on_each_other():
    axes = basis(normals(example_face(SIZE).depth), unproject(example_face(SIZE).depth))
    products = torch.einsum("bichw,bjchw->bhwij", axes, axes)
    torch.testing.assert_close(products, torch.eye(3).expand_as(products), atol=1e-5, rtol=0)
    tangent, bitangent, normal = axes.unbind(1)
    assert (tangent[:, 0] > 0).all() and (bitangent[:, 1] < 0).all() and (normal[:, 2] < 0).all()
    # right-handed after y and z are turned round, as glTF has them
    turn = torch.tensor([1.0, -1, -1])[:, None, None]
    crossed = torch.linalg.cross(normal * turn, tangent * turn, dim=1)
    torch.testing.assert_close(crossed, bitangent * turn)


def test_a_mesh_has_a_normal_map_if_its_face_has_displacement():
    assert mesh_of(example_face(SIZE)).visual.material.normalTexture is None
    face = displaced(bumps())
    mesh = mesh_of(face, 1, keep_background=True)
    assert mesh.visual.material.normalTexture.size == (SIZE, SIZE)
    plain = normals(base_depth(face))[1].flatten(1).T * torch.tensor([1.0, -1, -1])
    torch.testing.assert_close(torch.tensor(np.array(mesh.vertex_normals)).float(), plain)
    assert mesh_of(face, watertight=True).visual.material.normalTexture is None


def test_the_normal_map_stands_where_a_finer_texture_stands():
    """Both have the mesh's coordinates: the middles of the outermost texels are the rim's."""
    face = displaced(bumps())
    coarse, fine = (
        np.asarray(material(face, texture).normalTexture)
        for texture in (face.albedo, aligned(face.albedo, 4 * SIZE - 3))
    )
    assert fine.shape == (4 * SIZE - 3, 4 * SIZE - 3, 3)
    assert np.abs(fine[::4, ::4].astype(int) - coarse).max() <= 1
