"""Draws landmarks over photos."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..landmarks.points import LEFT_EYE, LIPS, NOSE_TIP, OVAL, RIGHT_EYE

SKIN, NAMED = (80, 200, 120), (255, 90, 60)  # of other points; of eyes, lips, nose tip, outline


def with_landmarks(photo: Tensor, landmarks: Tensor, size: int = 256) -> Tensor:
    """(B, 3, size, size) in [0, 1]: photos (B, 3, S, S) with their landmarks (B, 468, 3) px."""
    large = interpolate(photo, size=(size, size), mode="bicubic", antialias=True).clamp(0, 1)
    pictures = (large * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    scale = size / photo.shape[-1]
    named = set(np.concatenate([LEFT_EYE, RIGHT_EYE, LIPS, OVAL]).tolist()) | {NOSE_TIP}
    for picture, points in zip(pictures, landmarks.numpy()):
        for index, (x, y) in enumerate((points[:, :2] + 0.5) * scale - 0.5):
            colour = NAMED if index in named else SKIN
            cv2.circle(picture, (round(float(x)), round(float(y))), 1, colour, -1, cv2.LINE_AA)
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
