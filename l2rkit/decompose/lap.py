"""LAP: a face from any number of photos of a person (Zhang et al., CVPR 2021)."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..errors import PartError
from ..ops.groups import softmax_within, sum_within
from ..registry import DECOMPOSERS
from ..structures import Confidence, Consistent, Face
from .lap_networks import Aggregation, AttributeRefining, ladder
from .networks import ConfidenceNet, Encoder
from .photos import check_photo
from .unsup3d import depth_from_raw, light_from_code

VIEW_LIMITS = (*[math.radians(60)] * 3, 0.1, 0.1, 0.0)  # the largest view
CHUNK = 32  # photos at a time without gradients


@DECOMPOSERS.register_module()
class LAPDecomposer(nn.Module):
    """Shared depth and albedo of a person's photos, then each photo's own, with light and view.

    Args:
        image_size: pixels of the photo and of the canonical maps: 128 (published), 64 or 32.
        width: channels after the first stage of the depth, albedo and confidence networks.
        encoder_width: the same for the light and view networks.
        border_depth: depth of the outermost columns on both sides, which supports the mesh
            like a mask. None leaves them free.
        corner: rows and columns of the lower left corner that get `border_depth`, too; the released
            demo does so with (20, 15) of 128 pixels, which hides an artefact of its weights.
        view_gain: as in `Unsup3DDecomposer`. Ours.
        refined: returns each photo's own face; False returns the shared one, as in the first stage
            of training. It may change during training.
        confidence: False leaves out the confidence network, which only losses need.

    In evaluation mode the face's `confidence` is None. Without gradients, photos go through the
    networks in small chunks to save memory. The confidence network is Unsup3D's, as LAP's was not
    released.
    """

    def __init__(
        self,
        image_size: int = 128,
        width: int = 64,
        encoder_width: int = 32,
        border_depth: float | None = 1.05,
        corner: tuple[int, int] | None = None,
        view_gain: float | None = None,
        refined: bool = True,
        confidence: bool = True,
    ) -> None:
        super().__init__()
        self.image_size, self.refined = image_size, refined
        self.border_depth, self.corner = border_depth, corner
        self.depth = Aggregation(1, image_size, width)
        self.albedo = Aggregation(3, image_size, width)
        self.refine_depth = AttributeRefining(1, image_size, width)
        self.refine_albedo = AttributeRefining(3, image_size, width)
        self.light = Encoder(4, image_size, encoder_width, ladder)
        self.view = Encoder(6, image_size, encoder_width, ladder)
        self.confidence = ConfidenceNet(image_size, width) if confidence else None
        self.register_buffer("view_limits", torch.tensor(VIEW_LIMITS), persistent=False)
        if view_gain is not None:
            self.light.start_near_zero(view_gain)
            self.view.start_near_zero(view_gain)

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in each `photo` (B, 3, image_size, image_size).

        Equal `person` (B,) means the same person; None means that all are different.
        """
        signed, group, count = self._checked_inputs(photo, person)
        shape, paint = (code * weight for code, weight in self._codes(signed, group, count))
        raw = in_chunks(self.depth.decode, sum_within(shape, group, count))
        colour = in_chunks(self.albedo.decode, sum_within(paint, group, count)).tanh()
        consistent = Consistent(self._depth(raw)[group], (colour / 2 + 0.5)[group])
        depth, albedo = consistent.depth, consistent.albedo
        if self.refined:
            depth = self._depth(in_chunks(self.refine_depth, raw[group], signed))
            albedo = in_chunks(self.refine_albedo, colour[group], signed).tanh() / 2 + 0.5
        return Face(
            depth=depth,
            albedo=albedo,
            light=light_from_code(in_chunks(self.light, signed)),
            view=in_chunks(self.view, signed) * self.view_limits,
            confidence=self._confidence(signed),
            consistent=consistent,
        )

    @torch.no_grad()
    def shares(self, photo: Tensor, person: Tensor | None = None) -> Tensor:
        """(B,): weight of each photo in its person's face, relative to the others; 1 if equal.

        The mean weight over the channels of depth's and albedo's codes, times the person's photos.
        """
        signed, group, count = self._checked_inputs(photo, person)
        weights = torch.cat([w for _, w in self._codes(signed, group, count)], 1).mean(1)
        return weights * group.bincount(minlength=count)[group]

    def _codes(self, signed: Tensor, group: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
        """For depth and albedo: each photo's code and its weight within its person, (B, code)."""
        seen = [in_chunks(net.encode, signed) for net in (self.depth, self.albedo)]
        offset = self._logit_offset(seen[1][0], group, count)
        return [(code, softmax_within(logit + offset, group, count)) for code, logit in seen]

    def _logit_offset(self, code: Tensor, group: Tensor, count: int) -> Tensor:
        """(B, 1): offset of a photo's weight logits; 0, as published."""
        return code.new_zeros(len(code), 1)

    def _checked_inputs(self, photo: Tensor, person: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """The photos in [-1, 1], the person of each (B,) in 0..count-1, and count."""
        check_photo(self, photo)
        batch = len(photo)
        if person is None:
            return photo * 2 - 1, torch.arange(batch, device=photo.device), batch
        if person.shape != (batch,):
            got = tuple(person.shape)
            raise PartError(
                f"{type(self).__name__} expects a person for each of {batch} photos, not {got}"
            )
        who, group = person.to(photo.device).unique(return_inverse=True)
        return photo * 2 - 1, group, len(who)

    def _confidence(self, signed: Tensor) -> Confidence | None:
        if self.confidence is None or not self.training:
            return None
        pixel, feature = in_chunks(self.confidence, signed)
        return Confidence(pixel.float(), feature.float())

    def _depth(self, raw: Tensor) -> Tensor:
        depth = depth_from_raw(raw)
        if self.border_depth is None:
            return depth
        columns = max(1, self.image_size // 64)  # 2 of the published 128
        border = torch.zeros_like(depth[:1], dtype=torch.bool)
        border[..., :columns] = border[..., -columns:] = True
        if self.corner is not None:
            rows, width = self.corner
            border[..., self.image_size - rows :, :width] = True
        return depth.masked_fill(border, self.border_depth)


def in_chunks(net: Callable, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
    """`net(*inputs)`; without gradients in chunks of `CHUNK` rows, to save memory."""
    if torch.is_grad_enabled() or len(inputs[0]) <= CHUNK:
        return net(*inputs)
    parts = [net(*rows) for rows in zip(*(x.split(CHUNK) for x in inputs))]
    return torch.cat(parts) if isinstance(parts[0], Tensor) else tuple(map(torch.cat, zip(*parts)))
