"""Gradients that a training asks for, or keeps out."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.autograd import grad


def input_gradient(score: Tensor, image: Tensor) -> Tensor:
    """(B, 3, H, W): the derivative of score (B,) by the image as published, in [-1, 1]."""
    return grad(score.sum(), image, create_graph=True)[0] / 2


@contextmanager
def frozen(part: nn.Module) -> Iterator[None]:
    """Here the weights of `part` take no gradient; afterwards, those that did before do again."""
    learning = [weight for weight in part.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
