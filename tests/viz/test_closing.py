"""The back and walls of a solid, by hand and on any surface."""

import numpy as np
import trimesh

from l2rkit.viz.closing import BASE, closed, rim


def test_the_rim_of_two_triangles_is_their_outline():
    edges = {tuple(edge) for edge in rim(np.array([[0, 2, 1], [1, 2, 3]]))}
    assert edges == {(0, 2), (1, 0), (2, 3), (3, 1)}


def test_a_triangle_becomes_a_prism_along_the_rays():
    points = np.array([[0, 0, 1.0], [0, 0.1, 1.0], [0.1, 0, 1.0]])  # down, then right: outwards
    after, triangles = closed(points, np.array([[0, 1, 2]]))
    assert len(after) == 6 and len(triangles) == 2 + 6
    np.testing.assert_allclose(after[3:], points * (1 + BASE))
    solid = trimesh.Trimesh(after * (1, -1, -1), triangles, process=False)
    assert solid.is_volume
    area = 0.005
    assert np.isclose(solid.volume, area * ((1 + BASE) ** 3 - 1) / 3)


def test_a_surface_that_overhangs_in_space_but_not_along_rays_does_not_cross_its_back():
    rng = np.random.default_rng(0)
    line = np.linspace(-0.09, 0.09, 12)
    x, y = np.meshgrid(line, line)
    depth = rng.uniform(0.9, 1.1, x.shape)  # as rough as can be
    points = (np.stack([x, y, np.ones_like(x)], -1) * depth[..., None]).reshape(-1, 3)
    at = np.arange(144).reshape(12, 12)
    p, q, r, s = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    cells = np.concatenate([np.stack([p, r, q], -1), np.stack([q, r, s], -1)]).reshape(-1, 3)
    after, triangles = closed(points, cells)
    assert trimesh.Trimesh(after * (1, -1, -1), triangles, process=False).is_volume
    # what lies between front and back, worked out triangle by triangle as pieces of cones
    back = after[144:]
    cones = [np.abs(np.linalg.det(v[cells])).sum() / 6 for v in (back, points)]
    solid = trimesh.Trimesh(after * (1, -1, -1), triangles, process=False)
    assert np.isclose(solid.volume, cones[0] - cones[1])
