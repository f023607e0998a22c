"""Closes a surface to a solid by a flat back and walls. Ours."""

import math

import numpy as np

from ..structures import FIELD_OF_VIEW_DEG

# Distance of the back from the deepest point: a twentieth of the picture's width at depth 1.
BASE = 0.05 * 2 * math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))


def closed(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (2 N, 3) and triangles (2 T + walls, 3) of the solid with a surface as its front.

    points (N, 3) in the camera's axes; triangles (T, 3) counter-clockwise seen from the front.
    Vertex N + i of the back is on the camera's ray through vertex i, so the solid does not
    intersect itself, however steep its front. Walls begin at edges of only one triangle.
    """
    count = len(points)
    depth = points[np.unique(triangles), 2].max() + BASE
    back = points * (depth / points[:, 2:])
    a, b = rim(triangles).T
    walls = [np.stack([b, a, count + a], 1), np.stack([b, count + a, count + b], 1)]
    solid = np.concatenate([triangles, count + triangles[:, ::-1], *walls])
    return np.concatenate([points, back]), solid


def rim(triangles: np.ndarray) -> np.ndarray:
    """(E, 2): the edges of only one triangle, in this triangle's direction."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    names = np.array([triangles.max() + 1, 1])  # one number for two vertices
    return edges[~np.isin(edges @ names, edges[:, ::-1] @ names)]
