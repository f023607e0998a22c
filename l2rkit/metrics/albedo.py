"""How near the predicted albedo is to the true one."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor

from ..render.warp import warp_to_view
from ..structures import Scene
from .figures import ImageFigures
from .masks import common_mask
from .photo import decibels, ssim


def gained(colour: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B, 3, H, W): `colour` times the one factor per image that brings it nearest to `truth`.

    Least squares over the mask (B, 1, H, W), one factor for all three colours.
    """
    both = (colour * truth * mask).sum((1, 2, 3), keepdim=True)
    own = (colour * colour * mask).sum((1, 2, 3), keepdim=True)
    return colour * (both / own.clamp(min=1e-12))


def nearness(colour: Tensor, truth: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """PSNR in dB over the mask (B,), and SSIM (B,) of the `gained` colour laid over the truth."""
    laid = torch.lerp(truth, gained(colour, truth, mask), mask)
    square = (laid - truth).square().sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3))).clamp(min=1)
    return decibels(square), ssim(laid, truth)


@METRICS.register_module()
class AlbedoErrors(ImageFigures):
    """PSNR in dB and SSIM of the albedo, in the photo's view, where both have a face. Ours.

    The predicted albedo is canonical, and no truth is known in a frame that the method chose; so it
    is drawn as the photo's view shows it, under ambient light of 1 alone, and compared with the
    batch's `albedo`, which lies in that view, over the pixels of `DepthErrors`. Hence an error of
    geometry or view counts here, too. As light and albedo trade a factor, which no photo tells, the
    prediction is first given the one factor per image that suits it best.

    What is outside counts as right for SSIM. Beside them `photo_`: the photo itself, taken for the
    albedo, so a method that knows nothing of light.
    """

    names = ("albedo_psnr", "albedo_ssim", "photo_albedo_psnr", "photo_albedo_ssim")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth, solid = (data_batch[key].cpu().float() for key in ("albedo", "depth"))
        photo = data_batch["photo"].cpu().float()
        (scene,) = data_samples
        face, depth = scene.face, scene.rendering.depth
        drawn = warp_to_view(face.albedo, depth, face.view).detach().cpu().float()
        mask = common_mask(depth.detach().cpu().float(), solid)
        self.add(*nearness(drawn, truth, mask), *nearness(photo, truth, mask))
