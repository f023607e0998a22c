"""The random conditions of version 2: natural expressions, and backgrounds as in photos."""

import cv2
import numpy as np

from l2rkit.data.heads.capture import Capture, random_capture
from l2rkit.data.heads.head_model import HeadModel

# Expressions: actions and their full strengths; `X` means Left and Right.
EXPRESSIONS = (
    {"mouthSmileX": 0.9, "cheekSquintX": 0.5, "mouthDimpleX": 0.2},
    {"mouthSmileX": 0.8, "cheekSquintX": 0.6, "jawOpen": 0.18, "mouthUpperUpX": 0.25},
    {"browInnerUp": 0.8, "browOuterUpX": 0.7, "eyeWideX": 0.3},
    {"browDownX": 0.8, "eyeSquintX": 0.4, "mouthPressX": 0.4},
    {"mouthFrownX": 0.5, "browInnerUp": 0.4},
    {"jawOpen": 0.35, "mouthFunnel": 0.2},
    {"noseSneerX": 0.5, "mouthUpperUpX": 0.3, "eyeSquintX": 0.4},
    {"mouthPucker": 0.5},
)
NEUTRAL, SECOND, WINK = 0.35, 0.3, 0.03  # shares of photos
BRIGHTER, BRIGHT = 0.5, (0.55, 0.5)  # weight and strengths of a light blended with version 1's
UNEVEN = 0.15  # relative standard deviation of each side's action
PALETTE = np.float32(  # walls, sky, foliage, wood, night
    [[0.85, 0.84, 0.82], [0.55, 0.56, 0.58], [0.60, 0.72, 0.86], [0.30, 0.40, 0.22],
     [0.50, 0.38, 0.27], [0.10, 0.10, 0.12], [0.72, 0.62, 0.50]]
)  # fmt: skip


def random_portrait_capture(model: HeadModel, rng: np.random.Generator) -> Capture:
    """Random conditions: views as in version 1, brighter lights."""
    capture = random_capture(model, rng)
    light = capture.light.copy()
    light[:2] = light[:2] * (1 - BRIGHTER) + BRIGHTER * np.float32(BRIGHT)
    return Capture(expression(model, rng), capture.view, light, (background(rng),))


def expression(model: HeadModel, rng: np.random.Generator) -> np.ndarray:
    """(52,): actions of none, one or two EXPRESSIONS of random strength, and a gaze."""
    action = np.zeros(len(model.action_names), np.float32)

    def add(name, amount):
        sides = ("Left", "Right") if name.endswith("X") else ("",)
        for end in sides:
            index = model.action_names.index(name.removesuffix("X") + end)
            action[index] += amount * (1 + (UNEVEN * rng.normal() if end else 0))

    if rng.random() > NEUTRAL:
        for _ in range(2 if rng.random() < SECOND else 1):
            strength = rng.uniform(0.2, 1)
            for name, full in EXPRESSIONS[rng.integers(len(EXPRESSIONS))].items():
                add(name, strength * full)
    if rng.random() < WINK:
        add("eyeBlinkX", rng.uniform(0.5, 1))
    aside, up = rng.normal(0, 0.12, 2)
    left, right = ("In", "Out") if aside > 0 else ("Out", "In")
    add(f"eyeLook{left}Left", abs(aside))
    add(f"eyeLook{right}Right", abs(aside))
    add("eyeLookUpX" if up > 0 else "eyeLookDownX", abs(up))
    return action.clip(0, 1)


def background(rng: np.random.Generator) -> np.ndarray:
    """(32, 32, 3) in [0, 1]: blurred rectangles of a few muted colours."""
    colours = PALETTE[rng.integers(len(PALETTE), size=3)] * rng.uniform(0.6, 1.15, (3, 1))
    plain = rng.random() < 0.4
    picture = np.broadcast_to(colours[0], (32, 32, 3)).astype(np.float32).copy()
    if not plain:
        for _ in range(rng.integers(3, 9)):
            x, y = rng.integers(-8, 32, 2)
            width, height = rng.integers(3, 24, 2)
            colour = colours[rng.integers(3)] * rng.uniform(0.6, 1.3)
            picture[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = colour
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 3))
    slope = 1 + rng.uniform(-0.3, 0.3) * np.linspace(-1, 1, 32)[:, None, None]
    grain = 1 + 0.03 * rng.standard_normal((32, 32, 1))
    return (picture * slope * grain).clip(0, 1).astype(np.float32)
