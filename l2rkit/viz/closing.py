"""A surface becomes a solid, by a flat back and walls between. Ours."""

import math

import numpy as np

from ..structures import FIELD_OF_VIEW_DEG

# How far the back lies behind the deepest point: a twentieth of the picture's width at depth 1.
BASE = 0.05 * 2 * math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))


def closed(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (2 N, 3) and triangles (2 T + walls, 3) of the solid in front of which a surface lies.

    points (N, 3) in the camera's axes; triangles (T, 3) turn counter-clockwise seen from ahead.
    Vertex N + i of the back lies behind vertex i on the camera's ray, so that the solid folds
    nowhere, however steep its front. Walls hang from edges that belong to one triangle alone.
    """
    count = len(points)
    depth = points[np.unique(triangles), 2].max() + BASE
    back = points * (depth / points[:, 2:])
    a, b = rim(triangles).T
    walls = [np.stack([b, a, count + a], 1), np.stack([b, count + a, count + b], 1)]
    solid = np.concatenate([triangles, count + triangles[:, ::-1], *walls])
    return np.concatenate([points, back]), solid


def rim(triangles: np.ndarray) -> np.ndarray:
    """(E, 2): edges that belong to one triangle alone, in the direction in which it has them."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    names = np.array([triangles.max() + 1, 1])  # makes a number of two vertices
    return edges[~np.isin(edges @ names, edges[:, ::-1] @ names)]
