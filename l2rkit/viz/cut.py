"""The part of a surface where a level is above 0, its rim a smooth line. Ours."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Cut:
    """What a cut leaves of a surface.

    Vertex k lies on the edge from old vertex `inner[k]` to `outer[k]`, the share `way[k]` in [0, 1)
    away from the former; of old vertices that stay the two are the same. triangles (T, 3) turn as
    before.
    """

    triangles: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    way: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """(K, C): values (N, C) of old vertices, at those of the cut."""
        return values[self.inner] + self.way[:, None] * (values[self.outer] - values[self.inner])


def cut(triangles: np.ndarray, level: np.ndarray) -> Cut:
    """The surface of triangles (T, 3) where `level` (N,), linear on each, is above 0 (not at 0).

    Triangles across the rim are cut there, into one or two. The rim has neither ends nor forks.
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
    """Triangles (T, 3), each turned so that its one chosen corner, true in (T, 3), is the first."""
    turn = (chosen.argmax(1)[:, None] + np.arange(3)) % 3
    return np.take_along_axis(triangles, turn, 1)
