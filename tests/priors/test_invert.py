"""Inversion finds the codes of generated images, and leaves the prior unchanged."""

import pytest
import torch
from torch import nn

from l2rkit.errors import PartError
from l2rkit.metrics import psnr
from l2rkit.priors import StyleGAN2, invert


@pytest.fixture(scope="module")
def prior() -> StyleGAN2:
    torch.manual_seed(0)
    prior = StyleGAN2(None, 32, width=1 / 32, latent=16, mapping=2)
    for block in prior.blocks.values():
        block.image.weight.mul_(0.2)  # so that little is clamped
    return prior


def made(prior: StyleGAN2) -> tuple[torch.Tensor, torch.Tensor]:
    codes = prior.mapping(torch.randn(2, 16, generator=torch.Generator().manual_seed(1)))
    codes = codes[:, None].expand(-1, prior.layers, -1)
    return codes, prior(codes, space="w")[0]


def test_a_made_image_is_found_again(prior: StyleGAN2) -> None:
    _, photo = made(prior)
    seen = []
    codes, image = invert(prior, photo, steps=60, progress=lambda step, loss: seen.append(loss))
    assert codes.shape == (2, prior.layers, 16)
    assert torch.equal(prior(codes, space="w")[0], image)
    start = prior(prior.mean_w.expand(2, -1), space="w")[0]
    assert psnr(start, photo).max() < 21, "it is not there from the beginning"
    assert psnr(image, photo).min() >= 25, psnr(image, photo)
    assert len(seen) == 61 and seen[-1] < seen[0] / 10


def test_the_best_is_kept_which_may_be_the_encoders(prior: StyleGAN2) -> None:
    truth, photo = made(prior)
    codes, image = invert(prior, photo, steps=3, encoder=lambda _: truth, features=nn.Identity())
    assert photo.min() > 0 and photo.max() < 1, "nothing is clamped here"
    assert torch.equal(codes, truth) and torch.equal(image, photo)
    codes, _ = invert(prior, photo, steps=0, features=nn.Identity())
    assert torch.equal(codes, prior.mean_w.expand_as(codes))


def test_the_prior_stays_as_it_is_frozen_or_not(prior: StyleGAN2) -> None:
    _, photo = made(prior)
    prior.requires_grad_(True)
    invert(prior, photo, steps=1, features=nn.Identity(), noise="none")
    assert all(weight.grad is None for weight in prior.parameters())
    prior.requires_grad_(False)


def test_a_photo_of_another_size_is_refused(prior: StyleGAN2) -> None:
    with pytest.raises(PartError, match=r"\(B, 3, 32, 32\), not \(1, 3, 16, 16\)"):
        invert(prior, torch.rand(1, 3, 16, 16))
