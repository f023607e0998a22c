"""Centres of clusters: Lloyd's algorithm, started as k-means++ does (Arthur, SODA 2007)."""

import torch
from torch import Tensor

ROUNDS = 100  # at most; it ends when no sample changes its cluster


def centres(samples: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(count, D): means of the clusters of the samples (N, D); N is at least `count`.

    Equal generators give equal centres.
    """
    found = start(samples, count, generator)
    label = None
    for _ in range(ROUNDS):
        squared = distances(samples, found)
        nearest = squared.argmin(1)
        if label is not None and torch.equal(nearest, label):
            break
        label = nearest
        size = label.bincount(minlength=count)
        total = torch.zeros_like(found).index_add_(0, label, samples)
        found = total / size.clamp(min=1)[:, None]
        empty = (size == 0).nonzero()[:, 0]
        lost = squared.amin(1).topk(len(empty)).indices  # an empty cluster takes the farthest one
        found[empty] = samples[lost]
    return found


def start(samples: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(count, D): samples, each drawn with odds of its squared distance to those drawn before."""
    drawn = [int(torch.randint(len(samples), (1,), generator=generator))]
    squared = distances(samples, samples[drawn])[:, 0]
    for _ in range(count - 1):
        odds = squared if squared.sum() > 0 else torch.ones_like(squared)
        drawn.append(int(torch.multinomial(odds, 1, generator=generator)))
        squared = torch.minimum(squared, distances(samples, samples[drawn[-1:]])[:, 0])
    return samples[drawn]


def distances(samples: Tensor, others: Tensor) -> Tensor:
    """(N, M): squared, of (N, D) to (M, D)."""
    lengths = samples.square().sum(1)[:, None] + others.square().sum(1)
    return (lengths - 2 * samples @ others.T).clamp(min=0)
