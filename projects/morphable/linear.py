"""A linear face model of the synthetic heads: principal components of people, looks and colours.

Learnt from people drawn as the training set draws them, with other seeds. A mode is scaled so that
coefficient 1 is one standard deviation, as in Blanz and Vetter (SIGGRAPH 1999).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from l2rkit.data.heads.albedo import Surface, paint
from l2rkit.data.heads.capture import random_capture
from l2rkit.data.heads.head_model import SCALE, HeadModel
from l2rkit.data.heads.person import Person, random_person
from l2rkit.data.heads.render import person_head
from l2rkit.structures import FAR

SEED = 7_000_000  # far from those of the data sets' splits
BEHIND = FAR + 0.03  # depth in scene units: what lies behind it on the mean head is never seen


@dataclass(frozen=True)
class LinearFaces:
    """V vertices in scene units, in `l2rkit.structures`' axes, and their colours in [0, 1]."""

    triangles: np.ndarray  # (T, 3) int32
    points: np.ndarray  # (V, 3) the mean face
    identity: np.ndarray  # (I, V, 3)
    expression: np.ndarray  # (E, V, 3)
    colour: np.ndarray  # (V, 3) the mean albedo
    colours: np.ndarray  # (C, V, 3)


@lru_cache(maxsize=2)
def learnt(identity: int, expression: int, colours: int, people: int = 200) -> LinearFaces:
    """The model with so many modes of each kind, of as many people."""
    head = HeadModel.load()
    rng = np.random.default_rng(SEED)
    drawn = [random_person(head, rng) for _ in range(people)]
    points, shapes = principal(np.stack([person_head(head, one) for one in drawn]), identity)
    actions = [random_capture(head, rng).action for _ in range(people)]
    moved = SCALE * np.stack([head.offsets("action", action) for action in actions])
    usual, looks = principal(moved, expression)
    colour, hues = principal(np.stack([vertex_colours(head, one) for one in drawn]), colours)
    points = points + usual
    triangles, kept = in_front(head.triangles, points[:, 2] < BEHIND)
    return LinearFaces(
        triangles, points[kept], shapes[:, kept], looks[:, kept], colour[kept], hues[:, kept]
    )


def principal(samples: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean (V, 3) of samples (N, V, 3), and their first modes (count, V, 3), each one sigma."""
    mean = samples.mean(0)
    flat = (samples - mean).reshape(len(samples), -1)
    _, spread, modes = np.linalg.svd(flat, full_matrices=False)
    modes = modes[:count] * spread[:count, None] / np.sqrt(len(samples))
    largest = np.abs(modes).argmax(1)  # a mode's sign is free: its largest entry is positive
    modes = modes * np.sign(modes[np.arange(len(modes)), largest])[:, None]
    return mean.astype(np.float32), modes.reshape(-1, *mean.shape).astype(np.float32)


def vertex_colours(head: HeadModel, person: Person) -> np.ndarray:
    """(V, 3): the albedo of a person at the vertices."""
    masks = (head.masks[name] for name in ("lips", "eyelids", "ears", "inside-mouth"))
    return paint(Surface(head.mean.copy(), head.part, head.openness, *masks), person, head)


def in_front(triangles: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (T', 3) with all corners in `front` (V,) bool, renumbered; the vertices kept."""
    chosen = triangles[front[triangles].all(1)]
    kept, numbers = np.unique(chosen, return_inverse=True)
    return numbers.reshape(-1, 3).astype(np.int32), kept
