"""LAP with lower weights for photos that disagree with the others of their person. Ours."""

import torch
from torch import Tensor

from ..registry import DECOMPOSERS
from .lap import LAPDecomposer

STRICTNESS = 3.0  # a photo at twice the median distance has an exp(3) times lower weight


@DECOMPOSERS.register_module()
class RobustLAPDecomposer(LAPDecomposer):
    """As `LAPDecomposer`, with weights of photos that depend on the whole set.

    The published weight logits depend on each photo alone, so they cannot detect a photo of
    another person. Here a photo loses weight if its albedo code is further from the median of its
    set than usual. Nothing more is learnt, so the weight files of `LAPDecomposer` fit; for one or
    two photos the results are equal.
    """

    def _logit_offset(self, code: Tensor, group: Tensor, count: int) -> Tensor:
        doubt = torch.zeros(len(code), device=code.device)
        for person in range(count):
            rows = group == person
            doubt[rows] = excess_distance(code[rows].detach().float())
        return -STRICTNESS * doubt[:, None]


def excess_distance(code: Tensor) -> Tensor:
    """(N,): excess distance of each of N codes (N, C) from their median, 0 or more.

    In units of the median distance. The distance is Euclidean, the median per channel.
    """
    if len(code) < 3:
        return code.new_zeros(len(code))
    off = (code - code.quantile(0.5, dim=0)).square().mean(1).sqrt()
    return (off / off.quantile(0.5).clamp(min=1e-6) - 1).clamp(min=0)
