"""The random conditions of a photo: expression, view, light and background."""

from dataclasses import dataclass

import numpy as np

from l2rkit.data.heads.head_model import HeadModel

ACTIONS_AT_ONCE = 4
YAW_SPREAD_DEG, YAW_LIMIT_DEG, TILT_SPREAD_DEG = 22, 45, 6
SHIFT_SPREAD = np.array([0.003, 0.003, 0.004])  # scene units: about 1 pixel of 64
LIGHT_CONE_DEG = 60  # the light's largest angle from the camera's axis
BRIGHTEST = 1.15  # ambient + diffuse
NEVER = ("tongueOut", "mouthClose")  # the second crosses the lips of a closed jaw


@dataclass(frozen=True)
class Capture:
    """The conditions of a photo, in radians and scene units."""

    action: np.ndarray  # (52,)
    view: np.ndarray  # (6,) rx, ry, rz, tx, ty, tz
    light: np.ndarray  # (5,) ambient, diffuse, unit vector to the light
    background: tuple[np.ndarray, ...]  # coarse colour grids (N, N, 3), to be upsampled


def random_capture(model: HeadModel, rng: np.random.Generator) -> Capture:
    """Random conditions."""
    return Capture(
        action=_actions(model, rng),
        view=_view(rng),
        light=_light(rng),
        background=tuple(rng.uniform(0, 1, (n, n, 3)).astype(np.float32) for n in (3, 7)),
    )


def rotation(angles: np.ndarray) -> np.ndarray:
    """(3, 3): Rz Ry Rx of angles (rx, ry, rz) in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _actions(model, rng):
    allowed = [i for i, name in enumerate(model.action_names) if name not in NEVER]
    action = np.zeros(len(model.action_names), np.float32)
    action[rng.choice(allowed, ACTIONS_AT_ONCE, replace=False)] = rng.uniform(0, 0.8, 4)
    return action


def _view(rng):
    yaw = np.clip(rng.normal(0, YAW_SPREAD_DEG), -YAW_LIMIT_DEG, YAW_LIMIT_DEG)
    pitch, roll = rng.normal(0, TILT_SPREAD_DEG, 2)
    shift = rng.normal(0, 1, 3) * SHIFT_SPREAD
    return np.concatenate([np.radians([pitch, yaw, roll]), shift]).astype(np.float32)


def _light(rng):
    diffuse = rng.uniform(0.3, 0.8)
    ambient = min(rng.uniform(0.2, 0.6), BRIGHTEST - diffuse)
    away = np.radians(LIGHT_CONE_DEG) * np.sqrt(rng.uniform())
    around = rng.uniform(0, 2 * np.pi)
    x, y = np.sin(away) * np.cos(around), np.sin(away) * np.sin(around)
    return np.array([ambient, diffuse, x, y, -np.cos(away)], np.float32)
