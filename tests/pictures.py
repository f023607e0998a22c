"""A reproducible picture, and comparisons of pictures."""

import numpy as np
import torch

from l2rkit.degrade.degradation import rng_of


def picture(height=64, width=64):
    """(H, W, 3) float32 of whole 8-bit levels: slopes, a disc with an edge, thin stripes, dark."""
    y, x = np.mgrid[:height, :width]
    levels = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)], 2)
    disc = (3 * x - width) ** 2 + (3 * y - height) ** 2 < (width * height) // 2
    levels[disc] = (224, 172, 138)
    levels[(x > width * 2 // 3) & (y % 4 < 2)] = (40, 30, 60)
    levels[y > height * 5 // 6] //= 8
    return np.float32(levels) / 255


def batch(*images):
    """(B, 3, H, W) of images (H, W, 3)."""
    return torch.from_numpy(np.stack(images)).movedim(3, 1).contiguous()


def both(part, image, seed=0):
    """The image degraded by OpenCV and by torch, from one draw."""
    drawn = part.draw(rng_of(seed), *image.shape[:2])
    in_torch = part.degrade(batch(image), [drawn])[0].movedim(0, 2).numpy()
    return part.degrade_image(image, drawn), in_torch


def psnr(one, other):
    """Decibels; 100 where nothing differs."""
    error = float(np.mean((np.float64(one) - other) ** 2))
    return 100.0 if error < 1e-10 else -10 * np.log10(error)
