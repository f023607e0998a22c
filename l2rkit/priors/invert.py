"""GAN inversion: finds the codes of a prior for a photo, as StyleGAN2's `projector.py` does."""

from collections.abc import Callable
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ..errors import PartError
from ..losses.features import MobileNetFeatures

RATE = 0.1  # of Adam, as in StyleGAN2's projection; falls to 0 along a cosine
COLOURS = 10.0  # weight of colours against features (ours)


def invert(
    prior: nn.Module,
    photo: Tensor,
    steps: int = 300,
    encoder: Callable[[Tensor], Tensor] | None = None,
    features: nn.Module | None = None,
    noise: str = "fixed",
    progress: Callable[[int, float], None] | None = None,
) -> tuple[Tensor, Tensor]:
    """The lowest-loss codes found in w+ (B, layers, L), and their images (B, 3, S, S).

    Adam minimises the squared differences of colours and of features. It is StyleGAN2's projection
    (Karras et al., CVPR 2020, section 5) without noise on the codes, in w+ in place of w, and with
    the shipped features in place of VGG's.

    Args:
        prior: a `StyleGAN2`; it is not changed.
        photo: (B, 3, S, S) in [0, 1], at the prior's size and aligned as its training photos.
        encoder: photo → codes (B, layers, L) to begin with; else all begin at the mean w.
        features: image → maps; left out, `MobileNetFeatures`.
        noise: the prior's "fixed", or "none".
        progress: is called with the number of steps done and the mean loss.

    Raises:
        PartError: the photo is not of the prior's size.
    """
    if tuple(photo.shape[1:]) != (3, prior.size, prior.size):
        expected = f"(B, 3, {prior.size}, {prior.size})"
        raise PartError(f"invert: the prior's photos are {expected}, not {tuple(photo.shape)}")
    features = (features or MobileNetFeatures()).to(photo).eval()
    begun = prior.mean_w.expand(len(photo), prior.layers, -1) if encoder is None else encoder(photo)
    codes = begun.detach().clone().requires_grad_()
    best, lowest = codes.detach().clone(), photo.new_full((len(photo),), float("inf"))
    with torch.no_grad():
        target = features(photo)
    optimizer = Adam([codes], lr=RATE)
    for step in range(steps + 1):
        image, _ = prior(codes, space="w", noise=noise, clamp=False)
        loss = COLOURS * (image - photo).square().mean((1, 2, 3))
        loss = loss + (features(image) - target).square().mean((1, 2, 3))
        better = loss.detach() < lowest
        lowest = torch.where(better, loss.detach(), lowest)
        best[better] = codes.detach()[better]
        if progress is not None:
            progress(step, loss.mean().item())
        (codes.grad,) = torch.autograd.grad(loss.sum(), codes)
        optimizer.param_groups[0]["lr"] = RATE * (1 + cos(pi * step / max(1, steps))) / 2
        optimizer.step()
    with torch.no_grad():
        return best, prior(best, space="w", noise=noise)[0]
