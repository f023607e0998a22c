"""Blur under a mask."""

import cv2
import numpy as np
import torch

from l2rkit.ops.masked import masked_blur, masked_mean


def test_it_is_opencvs_gaussian_over_the_mask():
    rng = np.random.default_rng(0)
    picture = rng.random((2, 3, 24, 30)).astype(np.float32)
    mask = (rng.random((2, 1, 24, 30)) < 0.6).astype(np.float32)
    sigma = 1.7
    size = 2 * int(np.ceil(3 * sigma)) + 1

    def blurred(plane):
        return cv2.GaussianBlur(
            plane, (size, size), sigma, sigmaY=sigma, borderType=cv2.BORDER_CONSTANT
        )

    found = masked_blur(torch.from_numpy(picture), torch.from_numpy(mask), sigma).numpy()
    for some, inside, soft in zip(picture, mask, found):
        for plane, expected in zip(some, soft):
            share = blurred(inside[0])
            np.testing.assert_allclose(expected, blurred(plane * inside[0]) / share, atol=1e-5)


def test_what_the_mask_leaves_out_does_not_count_and_an_empty_one_gives_zero():
    picture = torch.full((1, 1, 32, 32), 2.0)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1
    picture[..., 16:] = 99.0
    soft = masked_blur(picture, mask, 1.0)
    torch.testing.assert_close(soft[..., :19], torch.full((1, 1, 32, 19), 2.0))
    assert not soft[..., 19:].any()


def test_half_precision_around_it_changes_nothing():
    value, mask = torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    expected = masked_blur(value, mask, 2.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(masked_blur(value, mask, 2.0), expected)


def test_of_channels_the_mean_is_the_sum():
    assert masked_mean(torch.ones(2, 3, 4, 4), torch.ones(2, 1, 4, 4)) == 3
