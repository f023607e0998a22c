"""Input gradients, and contexts without gradients."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.autograd import grad


def input_gradient(score: Tensor, image: Tensor) -> Tensor:
    """(B, 3, H, W): the gradient of score (B,) by the image (B, 3, H, W) in [0, 1].

    It is scaled to an image in [-1, 1], the range of published penalties.
    """
    return grad(score.sum(), image, create_graph=True)[0] / 2


@contextmanager
def frozen(part: nn.Module) -> Iterator[None]:
    """A context in which the weights of `part` are frozen."""
    learning = [weight for weight in part.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
