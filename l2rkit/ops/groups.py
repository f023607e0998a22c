"""Sums and weights within groups of a batch's rows, such as the photos of one person."""

import torch
from torch import Tensor


def softmax_within(logits: Tensor, group: Tensor, count: int) -> Tensor:
    """(B, C) that sum to 1 over the rows of each group, per channel; group (B,) in 0..count-1."""
    rows = group[:, None].expand_as(logits)
    most = logits.new_full((count, logits.shape[1]), -torch.inf)
    most = most.scatter_reduce(0, rows, logits.detach(), "amax")
    raised = (logits - most[group]).exp()
    return raised / sum_within(raised, group, count)[group]


def sum_within(values: Tensor, group: Tensor, count: int) -> Tensor:
    """(count, ...): the sum of the rows of (B, ...) in each group; group (B,) in 0..count-1."""
    return values.new_zeros(count, *values.shape[1:]).index_add(0, group, values)
