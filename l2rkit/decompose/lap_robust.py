"""LAP that counts a photo less where it disagrees with the others of its person. Ours."""

import torch
from torch import Tensor

from ..registry import DECOMPOSERS
from .lap import LAPDecomposer

STRICTNESS = 3.0  # a photo twice as far off as usual counts exp(3) times less


@DECOMPOSERS.register_module()
class RobustLAPDecomposer(LAPDecomposer):
    """As `LAPDecomposer`, with weights that look at the whole set.

    The published weights follow from each photo alone, before they are made to sum to 1: nothing
    in them can tell that a photo shows somebody else. Here a photo whose albedo code is further
    from the median of its set than photos of the set usually are loses weight. Nothing more is
    learnt, so that weights of a `LAPDecomposer` fit; one photo and two come out as there.
    """

    def _trust(self, code: Tensor, group: Tensor, count: int) -> Tensor:
        doubt = torch.zeros(len(code), device=code.device)
        for person in range(count):
            rows = group == person
            doubt[rows] = strangeness(code[rows].detach().float())
        return -STRICTNESS * doubt[:, None]


def strangeness(code: Tensor) -> Tensor:
    """(N,) how much further each of N codes (N, C) is from their median than usual; 0 if it is not.

    In units of the median distance. The distance is Euclidean, the median per channel.
    """
    if len(code) < 3:
        return code.new_zeros(len(code))
    off = (code - code.quantile(0.5, dim=0)).square().mean(1).sqrt()
    return (off / off.quantile(0.5).clamp(min=1e-6) - 1).clamp(min=0)
