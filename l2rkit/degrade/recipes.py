"""Random degradations for training, by name: `DegradationRecipe("l2r")`.

Four are reimplemented from published settings, one is ours. Common to all:

- Blur. The sources give sigma, kernel and motion in px of photos of 512 px (Real-ESRGAN: 256). For
  a face of H px they are scaled by H/512 (H/256), so that it looks equally soft.
- Factor. As published, but its range ends where the photo would get smaller than 16 px (ours). A
  factor of 8 leaves 64 px of a 512 px face, but 8 px of a 64 px one, which shows no face. So
  GFPGAN's 1..8 is 1..4 for photos of 64 px, and 1..8 from 128 px on.
- Noise and JPEG act at the small size, in the sources' own units.
- Changes that the sources also make to the target (flips, DFDNet's colour jitter) are left out.
"""

from collections.abc import Callable

from ..errors import ConfigError, near
from ..registry import DEGRADATIONS
from .blur import GaussianBlur, GeneralisedGaussianBlur, MotionBlur, PlateauBlur, SincBlur
from .colour import ColourJitter, ColourShift, Greyscale
from .combine import Compose, RandomApply, RandomChoice
from .degradation import Degradation, Range
from .jpeg import Jpeg
from .noise import GaussianNoise, PoissonNoise
from .shrink import DownUpsample, Resized

FACE = 512  # px of photos in the published face recipes
CROP = 256  # px of Real-ESRGAN's photos
FEWEST = 16  # px of a face that people still recognize


def dfdnet() -> Degradation:
    """DFDNet's (Li et al., ECCV 2020; csxmli2016/DFDNet, data/aligned_dataset.py).

    Source: blur 0.9 (Gaussian 0.65, sigma 0.3..2; else motion), factor 2..10 bicubic 0.95, noise
    1..10 levels 0.9, JPEG 40..80 0.6, bicubic up. Ours: motion is a straight line of 5..30 px of
    512 in place of 32 stored kernels; the Gaussian is not cut off at a drawn kernel size; noise
    and factor are drawn from all numbers of their range, not from whole ones and tenths.
    """
    motion = MotionBlur(length=(5, 30), for_height=FACE)
    blur = RandomChoice(
        [GaussianBlur(sigma=(0.3, 2), for_height=FACE), motion], weights=[0.65, 0.35]
    )

    def coded() -> list[Degradation]:
        return [
            RandomApply(0.9, GaussianNoise(levels=(1, 10))),
            RandomApply(0.6, Jpeg(quality=(40, 80))),
        ]

    smaller = DownUpsample((2, 10), inside=coded(), down="bicubic", up="bicubic", least=FEWEST)
    return Compose(
        [RandomApply(0.9, blur), RandomChoice([smaller, Compose(coded())], weights=[0.95, 0.05])]
    )


def gfpgan() -> Degradation:
    """GFPGAN's (Wang et al., CVPR 2021; TencentARC/GFPGAN, options/train_gfpgan_v1.yml).

    Source: isotropic or anisotropic Gaussian, sigma 0.1..10, kernel 41; factor 0.8..8 bilinear;
    noise 0..20 levels; JPEG 60..100; bilinear up; channels shifted by up to 20 levels 0.3; colour
    jitter 0.3 (gfpgan/data/ffhq_degradation_dataset.py: brightness and contrast 0.5..1.5,
    saturation 0..1.5); grey 0.01. Ours: no hue in the jitter, whose order is fixed and which comes
    before grey.
    """
    inside, way = noisy(20, (60, 100)), "bilinear"
    larger = Resized(scale=(1, 1.25), inside=inside, down=way, up=way)
    smaller = DownUpsample(factor=(1, 8), inside=inside, down=way, up=way, least=FEWEST)
    jitter = ColourJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5), saturation=(0, 1.5))
    return Compose(
        [
            either_gaussian((0.1, 10), 41, FACE),
            RandomChoice([larger, smaller], weights=[0.2, 7]),
            RandomApply(0.3, ColourShift(levels=20)),
            RandomApply(0.3, jitter),
            RandomApply(0.01, Greyscale()),
        ]
    )


def codeformer() -> Degradation:
    """CodeFormer's (Zhou et al., NeurIPS 2022; sczhou/CodeFormer, options/CodeFormer_stage3.yml).

    Source, the "small" ranges of its third stage: isotropic or anisotropic Gaussian, sigma
    0.1..10, kernel 41; factor 1..12 bilinear; noise 0..15 levels; JPEG 60..100; bilinear up. The
    "large" ranges (sigma 15, factor 30, JPEG 30) would leave nothing of 64 px photos.
    """
    inside, way = noisy(15, (60, 100)), "bilinear"
    smaller = DownUpsample(factor=(1, 12), inside=inside, down=way, up=way, least=FEWEST)
    return Compose([either_gaussian((0.1, 10), 41, FACE), smaller])


def realesrgan() -> Degradation:
    """Real-ESRGAN's second-order degradation (Wang et al., ICCV Workshops 2021, figure 2).

    Source: xinntao/Real-ESRGAN, options/train_realesrgan_x4plus.yml and, for the last step,
    realesrgan/models/realesrgan_model.py. First order: sigma 0.2..3, size times 0.15..1.5, noise
    1..30 levels or Poisson 0.05..3, JPEG 30..95. Second, at a quarter of the size: blur 0.8, sigma
    0.2..1.5, size times 0.3..1.2, noise 1..25 or Poisson 0.05..2.5, JPEG 30..95 before or after
    the final sinc (0.8). Ours: between the orders the photo is resized back; kernels are 21 px
    wide, not 7 to 21; sinc kernels do not scale with the photo; the second order shrinks to 12 px
    at least, as a quarter of a 64 px photo is 16 px.
    """
    ways = ("area", "bilinear", "bicubic")

    def noise(levels: Range, scale: Range) -> Degradation:
        return RandomChoice([GaussianNoise(levels, grey=0.4), PoissonNoise(scale, grey=0.4)])

    def sized(scale: tuple[float, float], least: int, inside: list) -> list[Degradation]:
        """Parts that enlarge, shrink, and keep the size."""
        low, high = scale
        larger, smaller = (Resized(s, inside, ways, ways, least) for s in ((1, high), (low, 1)))
        return [larger, smaller, Compose(inside)]

    code = Jpeg(quality=(30, 95))
    inside = [noise((1, 30), (0.05, 3)), code]
    resized = RandomChoice(sized((0.15, 1.5), FEWEST, inside), weights=[0.2, 0.7, 0.1])
    first = Compose([any_bell((0.2, 3)), resized])

    inside = [noise((1, 25), (0.05, 2.5))]
    ringing = RandomApply(0.8, SincBlur(cutoff=(1 / 3, 1), side=(7, 21)))
    before, after = (
        RandomChoice(sized((0.3, 1.2), 12, parts), weights=[0.3, 0.4, 0.3])
        for parts in ([*inside, code], inside)
    )
    ends = RandomChoice([Compose([before, ringing]), Compose([after, ringing, code])])
    quarter = DownUpsample(4, [ends], down=ways, up="bicubic")
    second = Compose([RandomApply(0.8, any_bell((0.2, 1.5))), quarter])
    return Compose([first, second])


def l2r() -> Degradation:
    """Ours, for small faces: blur, down, noise, JPEG, up; the paper gives no ranges.

    Blur 0.8: Gaussian of 0.5..12 px of 512, isotropic or not, or (0.2) motion of 10..60 px of 512.
    Factor 1..5, area, bilinear or bicubic, to 12 px at least. Noise 0.8: Gaussian 1..15 levels or
    Poisson 0.3..2, grey 0.3. JPEG 0.7: 30..95. Up bilinear or bicubic. No colour changes, as light
    and albedo are to be predicted.
    """
    sigma = (0.5, 12)
    blur = RandomChoice(
        [
            GaussianBlur(sigma, for_height=FACE),
            GaussianBlur(sigma, anisotropic=True, for_height=FACE),
            MotionBlur(length=(10, 60), for_height=FACE),
        ],
        weights=[0.4, 0.4, 0.2],
    )
    noise = RandomChoice([GaussianNoise((1, 15), grey=0.3), PoissonNoise((0.3, 2), grey=0.3)])
    smaller = DownUpsample(
        factor=(1, 5),
        inside=[RandomApply(0.8, noise), RandomApply(0.7, Jpeg(quality=(30, 95)))],
        down=("area", "bilinear", "bicubic"),
        up=("bilinear", "bicubic"),
        least=12,
    )
    return Compose([RandomApply(0.8, blur), smaller])


def noisy(levels: float, quality: Range) -> list[Degradation]:
    """Gaussian noise of up to `levels` grey levels, then JPEG."""
    return [GaussianNoise(levels=(0, levels)), Jpeg(quality=quality)]


def either_gaussian(sigma: Range, side: int, for_height: int) -> Degradation:
    """Gaussian blur, isotropic or anisotropic with equal probability."""
    return RandomChoice([GaussianBlur(sigma, tall, side, for_height) for tall in (False, True)])


def any_bell(sigma: Range) -> Degradation:
    """Real-ESRGAN's mixture of kernels: six kinds of bells 0.9, a sinc 0.1."""
    bells = [
        GaussianBlur(sigma, False, 21, CROP),
        GaussianBlur(sigma, True, 21, CROP),
        GeneralisedGaussianBlur(sigma, (0.5, 4), False, 21, CROP),
        GeneralisedGaussianBlur(sigma, (0.5, 4), True, 21, CROP),
        PlateauBlur(sigma, (1, 2), False, 21, CROP),
        PlateauBlur(sigma, (1, 2), True, 21, CROP),
    ]
    # the lowest cut-off is 1/3 for the three sides below 13, 1/5 for the five sides from 13 on
    sincs = RandomChoice([SincBlur((1 / 3, 1), (7, 11)), SincBlur((1 / 5, 1), (13, 21))], [3, 5])
    mixture = RandomChoice(bells, weights=[0.45, 0.25, 0.12, 0.03, 0.12, 0.03])
    return RandomChoice([mixture, sincs], weights=[0.9, 0.1])


RECIPES: dict[str, Callable[[], Degradation]] = {
    "codeformer": codeformer,
    "dfdnet": dfdnet,
    "gfpgan": gfpgan,
    "l2r": l2r,
    "realesrgan": realesrgan,
}


@DEGRADATIONS.register_module()
class DegradationRecipe(Compose):
    """The degradation of this name, one of `RECIPES`.

    Raises:
        ConfigError: there is no such recipe.
    """

    def __init__(self, name: str) -> None:
        if name not in RECIPES:
            raise ConfigError(f"no recipe is called '{name}'{near(str(name), RECIPES)}")
        super().__init__([RECIPES[name]()])
        self.name = name
