"""Degradations for evaluation, by name: `DegradationLevel("severe")`. Their numbers never change.

A level has no ranges: only the noise is random. H is the photo's height.

| level | blur, sigma | factor, down, up | noise at the small size | JPEG |
|---|---|---|---|---|
| clean | | | | |
| x4 | | 4, bicubic, bicubic | | |
| mild | 4 px H/512 | 2, area, bicubic | Gaussian, 4 levels of 255, in colour | 75 |
| severe | 6 px H/512 | 3, area, bicubic | Gaussian, 10 levels of 255, grey | 40 |

Equal seeds give equal draws, as NumPy's PCG64 and normal numbers have not changed since 1.17 (a
test checks them). The degraded photos may differ in rounding between versions of OpenCV, and
between OpenCV and torch: hardly for x4, and by single steps of JPEG's tables for mild and severe.
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
    """No degradation."""
    return []


def x4() -> list[Degradation]:
    """A quarter of the size and back, both bicubic as in OpenCV, without antialiasing."""
    return [DownUpsample(4, down="bicubic", up="bicubic")]


def mild() -> list[Degradation]:
    """A small photo as shared on the web."""
    return [
        GaussianBlur(sigma=4, for_height=FACE),
        DownUpsample(2, inside=[GaussianNoise(levels=4), Jpeg(quality=75)]),
    ]


def severe() -> list[Degradation]:
    """A very bad photo, in which people still recognize a face."""
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
    """The degradation of this name, one of `LEVELS`.

    Raises:
        ConfigError: there is no such level.
    """

    def __init__(self, name: str) -> None:
        if name not in LEVELS:
            raise ConfigError(f"no level is called '{name}'{near(str(name), LEVELS)}")
        super().__init__(LEVELS[name]())
        self.name = name
