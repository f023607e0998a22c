"""Error of restored photos."""

from collections.abc import Callable, Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor
from torch.nn.functional import conv1d, cosine_similarity

from ..registry import MODELS
from .figures import ImageFigures
from .masks import known

WINDOW, SIGMA = 11, 1.5  # px
C1, C2 = 0.01**2, 0.03**2  # for a range of 1


def psnr(image: Tensor, clean: Tensor) -> Tensor:
    """(B,): peak signal-to-noise ratio in dB of images (B, C, H, W) in [0, 1], at most 100."""
    return decibels((image - clean).square().mean((1, 2, 3)))


def squared_error(picture: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B,): mean squared error over the mask (B, 1, H, W), outside which both (B, C, H, W) agree.

    NaN where the mask is empty.
    """
    square, pixels = (picture - truth).square().sum((1, 2, 3)), mask.sum((1, 2, 3))
    return known(square / (truth.shape[1] * pixels).clamp(min=1), pixels)


def decibels(error: Tensor) -> Tensor:
    """(B,): the peak signal-to-noise ratio of mean squared errors (B,), range 1; at most 100."""
    return -10 * error.clamp(min=1e-10).log10()


def ssim(image: Tensor, clean: Tensor) -> Tensor:
    """(B,): structural similarity of images (B, C, H, W) in [0, 1], the mean over channels.

    Wang et al., IEEE TIP 2004: a Gaussian window of 11 px, sigma 1.5, K1 = 0.01, K2 = 0.03.
    Windows that cross the border are left out.
    """
    return ssim_map(image, clean).mean((1, 2, 3))


def ssim_map(image: Tensor, clean: Tensor) -> Tensor:
    """(B, C, H - 10, W - 10): structural similarity of the window around each pixel, see `ssim`."""
    x, y = image.flatten(0, 1), clean.flatten(0, 1)
    rows, columns = windows(x.shape[-2]).to(x), windows(x.shape[-1]).to(x)

    def mean(value: Tensor) -> Tensor:
        return rows @ value @ columns.T

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    share = (2 * mx * my + C1) * (2 * both + C2)
    share = share / ((mx * mx + my * my + C1) * (vx + vy + C2))
    return share.view(*image.shape[:2], *share.shape[-2:])


def windows(size: int) -> Tensor:
    """(size - 10, size) float64: the weights of SSIM's window at each place in a line of pixels.

    A matrix product is about nine times as fast as a depthwise convolution.
    """
    place = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    line = (-(place**2) / (2 * SIGMA**2)).exp()
    return conv1d(torch.eye(size).to(line)[:, None], (line / line.sum()).view(1, 1, -1))[:, 0].T


@METRICS.register_module()
class PhotoErrors(ImageFigures):
    """PSNR in dB, SSIM and ID similarity of restored and clean photos.

    The batch's `clean` is the truth, or its `photo` where nothing was degraded. After an evaluation
    `each` holds the figures of every image, in order.

    Args:
        identity: embedding of photos, (B, 3, H, W) → (B, K); adds `identity`, the cosine between
            the two embeddings.
    """

    names = ("psnr", "ssim", "identity")

    def __init__(
        self, identity: dict | Callable[[Tensor], Tensor] | None = None, **metric: object
    ) -> None:
        super().__init__(**metric)
        self.identity = MODELS.build(identity)

    def process(self, data_batch: dict, data_samples: Sequence[Tensor]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu()
        (image,) = (image.cpu().float() for image in data_samples)
        self.enter(psnr(image, clean), image, clean)

    def enter(self, ratio: Tensor, image: Tensor, clean: Tensor) -> None:
        """Keeps a batch's PSNR (B,), SSIM and, with an embedding, ID similarity."""
        columns = [ratio, ssim(image, clean)]
        if self.identity is not None:
            columns.append(cosine_similarity(self.identity(image), self.identity(clean)))
        self.add(*columns)
