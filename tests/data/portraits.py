"""The sample portraits and their landmarks from another detector."""

import numpy as np

from l2rkit.data.photo import read_photo
from l2rkit.zoo import FOLDER

# px in portrait_1.jpg and so on: eyes, nose tip, mouth corners. By YuNet (Wu, Peng, Yu, 'YuNet: A
# Tiny Millisecond-level Face Detector', 2023), not by the detector under test.
LANDMARKS = np.array(
    [
        [[154.6, 172.6], [232.1, 176.6], [168.3, 225.2], [160.0, 263.8], [223.7, 267.4]],
        [[134.8, 226.3], [210.9, 219.9], [172.3, 271.8], [144.7, 300.0], [216.1, 294.2]],
        [[151.9, 205.8], [232.0, 206.4], [190.0, 255.6], [155.2, 282.9], [228.0, 283.3]],
        [[146.0, 207.0], [222.7, 208.0], [184.9, 256.4], [146.9, 281.6], [221.4, 281.8]],
        [[192.7, 207.3], [285.4, 206.9], [242.1, 265.8], [198.6, 297.3], [281.5, 296.8]],
        [[191.9, 187.7], [278.2, 186.5], [238.6, 236.0], [192.9, 272.9], [276.1, 272.3]],
        [[151.9, 199.0], [229.3, 192.5], [193.4, 244.5], [158.1, 277.9], [234.4, 271.8]],
        [[165.1, 169.1], [248.2, 173.2], [207.6, 225.1], [165.1, 260.2], [239.7, 263.7]],
    ]
)
NUMBERS = range(1, len(LANDMARKS) + 1)


def portrait(number: int, kind: str = "") -> np.ndarray:
    """(H, W, 3) uint8: portrait_<number>.jpg, or its copy of a kind such as "_severe"."""
    return read_photo(FOLDER / "samples" / f"portrait_{number}{kind}.jpg")


def landmarks(number: int, photo: np.ndarray | None = None) -> np.ndarray:
    """(5, 2) px in the portrait, or in a copy of it of another size."""
    here = LANDMARKS[number - 1]
    if photo is None:
        return here
    step = np.divide(photo.shape[1::-1], portrait(number).shape[1::-1])
    return (here + 0.5) * step - 0.5
