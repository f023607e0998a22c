"""Error of the rendering inside the face."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor

from ..landmarks.region import face_region
from ..structures import Scene
from .figures import ImageFigures
from .photo import WINDOW, decibels, squared_error, ssim_map


@METRICS.register_module()
class FaceRegionErrors(ImageFigures):
    """PSNR in dB and SSIM within the outline of the clean photo's landmarks, in the photo's view.

    The batch's `clean` is the truth, or its `photo` where nothing was degraded; `landmarks_3d`
    (B, 468, 3) px give the region. Pixels that are not rendered are white, and count; in
    `pasted_psnr` they are the input photo's, as if the face were pasted back. SSIM is the mean over
    windows centred in the region, of the rendering over the photo. Pictures of restorers are
    compared in the same way.
    """

    names = ("face_psnr", "face_ssim", "pasted_psnr")

    def process(self, data_batch: dict, data_samples: Sequence[Scene | Tensor]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu().float()
        (sample,) = data_samples
        region = face_region(data_batch["landmarks_3d"], clean.shape[-1]).cpu().float()
        if isinstance(sample, Tensor):
            pictures = [sample, sample]
        else:
            pictures = [sample.rendering.on_white(), sample.rendering.over(sample.target)]
        laid, pasted = (
            torch.lerp(clean, picture.detach().cpu().float().clamp(0, 1), region)
            for picture in pictures
        )
        edge = WINDOW // 2
        inside = region[..., edge:-edge, edge:-edge]
        alike = (ssim_map(laid, clean).mean(1, keepdim=True) * inside).sum((1, 2, 3))
        self.add(
            decibels(squared_error(laid, clean, region)),
            alike / inside.sum((1, 2, 3)).clamp(min=1),
            decibels(squared_error(pasted, clean, region)),
        )
