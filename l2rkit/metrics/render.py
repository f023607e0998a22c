"""How near a face, drawn as the model sees it, is to the good photo."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor

from ..structures import Rendering, Scene
from .photo import PhotoErrors, decibels


@METRICS.register_module()
class RenderErrors(PhotoErrors):
    """PSNR in dB over the pixels that the drawn face covers, and SSIM of it laid over the photo.

    The batch's `clean` is the truth, or its `photo` where nothing was degraded. What the face does
    not cover counts as right for SSIM: read both beside the coverage of `DepthErrors`.

    Args:
        identity: part that gives each photo (B, 3, H, W) a code (B, K); `render_identity` is then
            the cosine between the codes of the two.
    """

    names = ("render_psnr", "render_ssim", "render_identity")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu()
        (scene,) = data_samples
        square, laid = laid_over(scene.rendering, clean)
        self.enter(decibels(square), laid, clean)


def laid_over(drawn: Rendering, photo: Tensor) -> tuple[Tensor, Tensor]:
    """(B,): mean squared error over what is drawn; (B, 3, H, W): it, laid over `photo`."""
    mask = drawn.mask.detach().cpu().float()
    laid = torch.lerp(photo, drawn.image.detach().cpu().float().clamp(0, 1), mask)
    square = (laid - photo).square().sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3))).clamp(min=1)
    return square, laid
