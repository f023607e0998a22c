"""Unsup3D: a face from one photo by symmetry alone (Wu et al., CVPR 2020)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..registry import DECOMPOSERS
from ..structures import FAR, NEAR, Confidence, Face, Light
from .networks import ConfidenceNet, Encoder, EncoderDecoder
from .photos import check_photo


@DECOMPOSERS.register_module()
class Unsup3DDecomposer(nn.Module):
    """Depth, albedo, light and view of a photo, each from a network of its own.

    Args:
        image_size: pixels of the photo and of the canonical maps: 64 (published), 32 or 128.
        width: channels after the first stage of the depth, albedo and confidence networks.
        encoder_width: the same for the light and view networks.
        max_rotation_deg: largest turn about each axis.
        max_shift: largest shift along x, y and z, in units of depth.
        border_depth: depth of the outermost columns on both sides, which supports the mesh
            like a mask; 1.04 in the published training, 1.05 in its demo. None leaves them free.
        view_gain: He's initialisation of the light and view encoders, their last layer times this.
            None is the published one, with which small networks may not learn the view.
        confidence: False leaves out the confidence network, which only losses need.

    In evaluation mode `confidence` is None: only losses need it.
    """

    def __init__(
        self,
        image_size: int = 64,
        width: int = 64,
        encoder_width: int = 32,
        max_rotation_deg: float = 60.0,
        max_shift: tuple[float, float, float] = (0.1, 0.1, 0.0),
        border_depth: float | None = 0.7 * FAR + 0.3 * NEAR,
        view_gain: float | None = None,
        confidence: bool = True,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.border_depth = border_depth
        self.depth = EncoderDecoder(1, image_size, width)
        self.albedo = EncoderDecoder(3, image_size, width)
        self.light = Encoder(4, image_size, encoder_width)
        self.view = Encoder(6, image_size, encoder_width)
        self.confidence = ConfidenceNet(image_size, width) if confidence else None
        view_limits = torch.tensor([math.radians(max_rotation_deg)] * 3 + list(max_shift))
        self.register_buffer("view_limits", view_limits, persistent=False)
        if view_gain is not None:
            self.light.start_near_zero(view_gain)
            self.view.start_near_zero(view_gain)

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        check_photo(self, photo)
        signed = photo * 2 - 1
        return Face(
            depth=self._bordered(depth_from_raw(self.depth(signed))),
            albedo=self.albedo(signed).tanh() / 2 + 0.5,
            light=light_from_code(self.light(signed)),
            view=self._view(signed),
            confidence=self._confidence(signed) if self.training else None,
        )

    def predict_view(self, photo: Tensor) -> Tensor:
        """(B, 6): the views alone, in a fraction of the time."""
        return self._view(photo * 2 - 1)

    def _view(self, signed: Tensor) -> Tensor:
        return self.view(signed) * self.view_limits

    def _confidence(self, signed: Tensor) -> Confidence | None:
        if self.confidence is None:
            return None
        pixel, feature = self.confidence(signed)
        return Confidence(pixel.float(), feature.float())

    def _bordered(self, depth: Tensor) -> Tensor:
        if self.border_depth is None:
            return depth
        columns = max(1, self.image_size // 32)  # 2 of the published 64
        side = torch.full_like(depth[..., :columns], self.border_depth)
        return torch.cat([side, depth[..., columns:-columns], side], -1)


def depth_from_raw(raw: Tensor) -> Tensor:
    """(B, 1, H, W) in NEAR..FAR: the depth network's output, centred per image, through tanh."""
    centred = raw - raw.mean((1, 2, 3), keepdim=True)
    return NEAR + (FAR - NEAR) * (centred.tanh() / 2 + 0.5)


def light_from_code(code: Tensor) -> Light:
    """Light from four numbers in (-1, 1): ambient, diffuse, and the slopes of the direction.

    Unsup3D's normals and light point away from the camera; ours face it, hence the minus.
    """
    slopes = torch.cat([code[:, 2:], torch.ones_like(code[:, :1])], 1)
    return Light(
        ambient=code[:, 0] / 2 + 0.5,
        diffuse=code[:, 1] / 2 + 0.5,
        direction=-normalize(slopes, dim=1),
    )
