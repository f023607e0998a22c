"""Cuts a surface to the part where a level is above 0, with a smooth rim. Ours."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Cut:
    """The remaining part of a cut surface.

    Vertex k is on the edge from old vertex `inner[k]` to `outer[k]`, at the share `way[k]` in
    [0, 1) of it; for old vertices that remain, both are the same. triangles (T, 3) keep their
    orientation.
    """

    triangles: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    way: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """(K, C): values (N, C) of old vertices, interpolated at the vertices of the cut."""
        return values[self.inner] + self.way[:, None] * (values[self.outer] - values[self.inner])


def cut(triangles: np.ndarray, level: np.ndarray) -> Cut:
    """The part of triangles (T, 3) where `level` (N,), linear on each triangle, is above 0.

    Triangles across the rim are cut into one or two. The rim has no ends and no forks.
    """
    inside = level[triangles] > 0
    count = inside.sum(1)
    whole = triangles[count == 3].T
    in_, out, out_too = first(triangles[count == 1], inside[count == 1]).T
    away, here, here_too = first(triangles[count == 2], ~inside[count == 2]).T
    pieces = [
        [(whole[0], whole[0]), (whole[1], whole[1]), (whole[2], whole[2])],
        [(in_, in_), (in_, out), (in_, out_too)],
        [(here, away), (here, here), (here_too, here_too)],
        [(here, away), (here_too, here_too), (here_too, away)],
    ]
    names = [np.stack([a * len(level) + b for a, b in piece], 1) for piece in pieces]
    kept, index = np.unique(np.concatenate(names), return_inverse=True)
    inner, outer = np.divmod(kept, len(level))
    fall = level[inner] - level[outer]
    way = np.divide(level[inner], fall, out=np.zeros(len(kept)), where=inner != outer)
    return Cut(index.reshape(-1, 3), inner, outer, way)


def first(triangles: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(T, 3): triangles, rotated so that the one corner that is `chosen` (T, 3) comes first."""
    turn = (chosen.argmax(1)[:, None] + np.arange(3)) % 3
    return np.take_along_axis(triangles, turn, 1)
