"""Samples of a prior for its metrics, one for each photo."""

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.model import BaseModel
from torch import Tensor, nn

from ..errors import of_mode
from ..registry import PRIORS

BATCH = 64  # images made at a time


@torch.no_grad()
def samples(prior: nn.Module, count: int, seed: int = 0, truncation: float = 1) -> Tensor:
    """(count, 3, S, S) in [0, 1], always the same for a seed.

    `truncation` is passed only if it is not 1, as some priors have none.
    """
    z = torch.randn(count, prior.latent, generator=torch.Generator().manual_seed(seed))
    if (weight := next(prior.parameters(), None)) is not None:
        z = z.to(weight.device)
    options = {} if truncation == 1 else dict(truncation=truncation)
    return torch.cat([prior(part, **options)[0] for part in z.split(BATCH)])


class AsManyAsPhotos:
    """Adds MMEngine's evaluation to a model with `sample(count, seed)`; its input are photos.

    Each evaluation has the same images, as the seed is the number of the batch, over all processes.
    """

    predicted = 0  # batches since evaluation began

    def forward(
        self, photo: Tensor, mode: str = "tensor", **labels: object
    ) -> Tensor | list[Tensor]:
        """As many images as photos (B, 3, S, S); in a list for "predict"."""
        image = self.sample(len(photo), self.predicted * get_world_size() + get_rank())
        self.predicted += 1
        return of_mode(self, mode, dict(tensor=image, predict=[image]))

    def train(self, mode: bool = True) -> nn.Module:
        """Sets the mode, and restarts the samples of an evaluation."""
        self.predicted = 0
        return super().train(mode)


class PriorSampler(AsManyAsPhotos, BaseModel):
    """A finished prior, measured like one in training. It does not train.

    Args:
        prior: any of PRIORS, with its weights.
    """

    export_part = None  # weight files hold nothing of it

    def __init__(self, prior: dict | nn.Module) -> None:
        super().__init__()
        self.prior = PRIORS.build(prior)

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """(count, 3, S, S) in [0, 1], always the same for a seed."""
        return samples(self.prior, count, seed)
