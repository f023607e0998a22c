"""Trains and measures one stage of the line by itself: the repair of a photo in 2D."""

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from ..errors import of_mode
from ..ops.precision import checked_precision, in_precision
from ..ops.resize import resized
from ..ops.transfer import PREPROCESSOR, on_host
from ..registry import MODELS, RESTORERS


class PhotoRestorer(BaseModel):
    """Bad photos to good ones, by a part that learns it from pairs of both. Ours.

    Args:
        restore: the part, whose weights are trained; left out, the photo stays as it is, which
            is what any part is to be measured against.
        features: frozen extractor, whose maps of the restored and the clean photo shall agree.
        perceptual: weight of that against the mean absolute difference of colours.
        precision: "bfloat16" or "float16" of the part; weights and losses keep float32.

    Losses compare at the size that the part gives, metrics at the clean photo's.
    """

    def __init__(
        self,
        restore: dict | nn.Module | None = None,
        features: dict | nn.Module | None = None,
        perceptual: float = 1.0,
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor or PREPROCESSOR)
        self.restore = nn.Identity() if restore is None else RESTORERS.build(restore)
        self.precision = checked_precision("PhotoRestorer", precision)
        self.losses = nn.ModuleDict()
        if features is not None:
            self.losses["features"] = MODELS.build(features).eval().requires_grad_(False)
        self.perceptual = perceptual

    def forward(
        self, photo: Tensor, clean: Tensor | None = None, mode: str = "tensor", **labels: object
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """MMEngine's door: the restored photo, the losses, or the photo to be measured.

        photo (B, 3, H, W); clean (B, 3, H', W') is what it was made of.
        """
        clean = photo if clean is None else clean
        if mode == "tensor":
            return self.restored(photo)
        return of_mode(self, mode, dict(loss=self.loss, predict=self.predict))(photo, clean)

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """MMEngine's step; its report is on the CPU."""
        return on_host(super().train_step(data, optim_wrapper))

    def restored(self, photo: Tensor) -> Tensor:
        """What the part makes of `photo`, in float32."""
        with in_precision(self.precision, photo):
            return self.restore(photo).float()

    def loss(self, photo: Tensor, clean: Tensor) -> dict[str, Tensor]:
        """`loss_colour`, and `loss_features` if there is an extractor."""
        restored = self.restored(photo)
        clean = resized(clean, tuple(restored.shape[2:]), "bicubic")
        losses = {"loss_colour": l1_loss(restored, clean)}
        if "features" in self.losses:
            features = self.losses["features"]
            with torch.no_grad():
                wanted = features(clean)
            losses["loss_features"] = self.perceptual * mse_loss(features(restored), wanted)
        return losses

    @torch.no_grad()
    def predict(self, photo: Tensor, clean: Tensor) -> list[Tensor]:
        """The restored photos at the clean ones' size, in a list, as MMEngine's evaluator asks."""
        return [resized(self.restored(photo), tuple(clean.shape[2:]), "area").clamp(0, 1)]

    def train(self, mode: bool = True) -> "PhotoRestorer":
        """Leaves the extractor in evaluation mode."""
        super().train(mode)
        self.losses.eval()
        return self
