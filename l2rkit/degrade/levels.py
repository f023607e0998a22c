"""Degradations for evaluation, by name: `DegradationLevel("severe")`. Their numbers never change.

A level has no ranges: how the noise falls is all that is left to chance. H is the photo's height.

| level | blur, sigma | factor, down, up | noise at the small size | JPEG |
|---|---|---|---|---|
| clean | | | | |
| x4 | | 4, bicubic, bicubic | | |
| mild | 4 px H/512 | 2, area, bicubic | Gaussian, 4 levels of 255, in colour | 75 |
| severe | 6 px H/512 | 3, area, bicubic | Gaussian, 10 levels of 255, grey | 40 |

Equal seeds give equal draws wherever NumPy's PCG64 and its normal numbers are the same, which has
been so since 1.17 and is pinned by a test. What is made of a draw may differ in its rounding from
one OpenCV to the next, or between OpenCV and torch: hardly for x4, here and there by a step of
JPEG's tables for mild and severe.
"""

from collections.abc import Callable

from ..errors import ConfigError, near
from ..registry import DEGRADATIONS
from .blur import GaussianBlur
from .combine import Compose
from .degradation import Degradation
from .jpeg import Jpeg
from .noise import GaussianNoise
from .recipes import FACE
from .shrink import DownUpsample


def clean() -> list[Degradation]:
    """Nothing."""
    return []


def x4() -> list[Degradation]:
    """A quarter of the size and back, both bicubic, as OpenCV does it: not smoothed before."""
    return [DownUpsample(4, down="bicubic", up="bicubic")]


def mild() -> list[Degradation]:
    """A small photo as shared on the net."""
    return [
        GaussianBlur(sigma=4, for_height=FACE),
        DownUpsample(2, inside=[GaussianNoise(levels=4), Jpeg(quality=75)]),
    ]


def severe() -> list[Degradation]:
    """A really bad photo in which a person still sees a face."""
    return [
        GaussianBlur(sigma=6, for_height=FACE),
        DownUpsample(3, inside=[GaussianNoise(levels=10, grey=1), Jpeg(quality=40)]),
    ]


LEVELS: dict[str, Callable[[], list[Degradation]]] = {
    "clean": clean,
    "x4": x4,
    "mild": mild,
    "severe": severe,
}


@DEGRADATIONS.register_module()
class DegradationLevel(Compose):
    """The degradation of this name: one of `LEVELS`."""

    def __init__(self, name: str) -> None:
        if name not in LEVELS:
            raise ConfigError(f"no level is called '{name}'{near(str(name), LEVELS)}")
        super().__init__(LEVELS[name]())
        self.name = name
