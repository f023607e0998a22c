"""A head of version 2 of one colour without relief, and a capture of it from ahead."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from l2rkit.data.heads import HeadModel
from l2rkit.data.heads.capture import Capture
from l2rkit.data.heads.character import Character
from l2rkit.data.heads.occluders import Occluder
from l2rkit.data.heads.skins import Skin

SIDE = 160  # texels
TONE = np.float32([0.6, 0.3, 0.1])


def capture(
    tx: float = 0.0,
    tz: float = 0.0,
    light: Sequence[float] = (1, 0, 0, 0, -1),
    action: np.ndarray | None = None,
    grid: np.ndarray | None = None,
) -> Capture:
    """A frontal head, by default neutral, under even light and before a black wall."""
    view = np.float32([0, 0, 0, tx, 0, tz])
    action = np.zeros(52, np.float32) if action is None else action
    grid = np.zeros((32, 32, 3), np.float32) if grid is None else grid
    return Capture(action, view, np.float32(light), (grid,))


def person(
    model: HeadModel, *worn: Occluder, colour: float | Sequence[float] = 1.0, **others: object
) -> Character:
    """A head of one colour without relief; `others` are further fields of `Character`."""
    skin = Skin(
        np.zeros((SIDE, SIDE, 3), np.float32) + np.float32(colour),
        np.zeros((24, 48, 3), np.float32) + np.float32(colour),
        np.zeros((SIDE, SIDE), np.float32),
    )
    height = np.zeros((SIDE, SIDE), np.float32)
    plain = Character(model.vertices(), skin, height, TONE, 0.5, 0.0, (), worn)
    return replace(plain, **others)
