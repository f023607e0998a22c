"""The region and the skin tone of a face in a photo, from its landmarks."""

import cv2
import numpy as np
import torch
from torch import Tensor

from .points import LEFT_CHEEK, RIGHT_CHEEK

PATCH = 0.03  # half the side of the squares on the cheeks, in widths of the photo


def face_region(landmarks: Tensor, size: int) -> Tensor:
    """(B, 1, size, size): 1 inside the outline of landmarks (B, 468, 3) px, else 0.

    The outline is the convex hull of all points in the picture, for profiles, too.
    """
    regions = np.zeros((len(landmarks), size, size), np.uint8)
    for region, points in zip(regions, landmarks.detach().cpu().numpy()):
        outline = cv2.convexHull(np.ascontiguousarray(points[:, :2], np.float32))
        cv2.fillConvexPoly(region, np.rint(outline).astype(np.int32), 1)
    return torch.from_numpy(regions)[:, None].to(landmarks)


def skin_tone(photo: Tensor, landmarks: Tensor) -> Tensor:
    """(B,): individual typology angle of the cheeks in degrees, higher for lighter skin.

    photo (B, 3, S, S) in [0, 1]; landmarks (B, 468, 3) px. ITA = atan((L* - 50) / b*) of the
    cheeks' median CIELAB colour (Chardon et al., 1991): above 55 very light, below 10 brown and
    dark. It includes the photo's light and white balance, and is meaningless for a grey photo.
    """
    size = photo.shape[-1]
    pixels = photo.detach().cpu().float().permute(0, 2, 3, 1).contiguous().numpy()
    half = max(1, round(PATCH * size))
    angles = []
    for image, points in zip(pixels, landmarks.detach().cpu().numpy()):
        patches = []
        for cheek in (LEFT_CHEEK, RIGHT_CHEEK):
            x, y = np.clip(np.rint(points[cheek, :2].mean(0)), half, size - 1 - half).astype(int)
            patches.append(image[y - half : y + half + 1, x - half : x + half + 1])
        lab = cv2.cvtColor(np.concatenate(patches), cv2.COLOR_RGB2LAB).reshape(-1, 3)
        lightness, _, yellow = np.median(lab, 0)
        angles.append(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-3))))
    return torch.tensor(angles)
