"""Error of the rendering against the clean photo."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor

from ..structures import Rendering, Scene
from .photo import PhotoErrors, decibels, squared_error


@METRICS.register_module()
class RenderErrors(PhotoErrors):
    """PSNR in dB over the pixels that the rendered face covers, and SSIM of it over the photo.

    The batch's `clean` is the truth, or its `photo` where nothing was degraded. Pixels that the
    face does not cover count as correct for SSIM, so compare the coverage of `DepthErrors`, too.

    Args:
        identity: embedding of photos, (B, 3, H, W) → (B, K); adds `render_identity`, the cosine
            between the two embeddings.
    """

    names = ("render_psnr", "render_ssim", "render_identity")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu()
        (scene,) = data_samples
        square, laid = laid_over(scene.rendering, clean)
        self.enter(decibels(square), laid, clean)


def laid_over(drawn: Rendering, photo: Tensor) -> tuple[Tensor, Tensor]:
    """(B,): mean squared error over the covered pixels; (B, 3, H, W): the face over `photo`.

    The error is NaN where the face covers nothing.
    """
    mask = drawn.mask.detach().cpu().float()
    laid = torch.lerp(photo, drawn.image.detach().cpu().float().clamp(0, 1), mask)
    return squared_error(laid, photo, mask), laid
