"""The picture of README: good photos beside bad ones of another size."""

from itertools import pairwise

import numpy as np

from l2rkit.data.crops import same_crop, whole
from l2rkit.data.photo import read_photo
from l2rkit.zoo import FOLDER


def test_good_and_bad_photo_are_cropped_alike() -> None:
    bad = FOLDER / "samples" / "portrait_1_severe.jpg"
    pixels = read_photo(bad)
    clean = read_photo(bad.with_name("portrait_1.jpg"))
    good = same_crop(clean, pixels, whole(pixels.shape, 32), 32)
    assert good.shape == (32, 32, 3)
    bright = pixels.astype(float).mean(2)
    side = min(bright.shape)
    top, left = ((length - side) // 2 for length in bright.shape)
    cells = np.linspace(0, side, 33).round().astype(int)
    small = np.array(
        [
            [bright[top + a : top + b, left + c : left + d].mean() for c, d in pairwise(cells)]
            for a, b in pairwise(cells)
        ]
    )
    likeness = [
        np.corrcoef(np.roll(good.mean(2), step, 1).ravel(), small.ravel())[0, 1]
        for step in (-1, 0, 1)
    ]
    assert likeness[1] > 0.95 and likeness[1] == max(likeness)
