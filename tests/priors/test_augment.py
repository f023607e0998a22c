"""Each augmentation against a calculation by hand, and the adaptive strength."""

from math import pi

import pytest
import torch

from l2rkit.priors import AdaptiveAugment
from l2rkit.priors import augment as parts
from l2rkit.priors.augment import EVERY, moved, random_colours, random_motion, recoloured

close = dict(atol=1e-5, rtol=1e-5)


def picture(size: int = 8) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def both(value: float) -> torch.Tensor:
    return torch.tensor([0.0, value])


def at(p: float) -> AdaptiveAugment:
    augment = AdaptiveAugment()
    augment.p.fill_(p)
    return augment


def test_without_probability_nothing_changes() -> None:
    image = picture()
    assert at(0)(image) is image
    for change in (moved(image, random_motion(2, 0, 8)), recoloured(image, random_colours(2, 0))):
        assert torch.equal(change, image)


def test_a_motion_shifts_mirrors_and_turns_what_it_says() -> None:
    image = picture()
    two_px = moved(image, parts.shift(both(0.5), both(-0.25)))  # 2 px right, 1 px up, of 8
    assert torch.equal(two_px[0], image[0]), "one of the batch stays"
    torch.testing.assert_close(two_px[1, :, :7, 2:], image[1, :, 1:, :6], **close)
    flipped = moved(image, parts.scaling(1 - 2 * both(1), torch.ones(2)))
    torch.testing.assert_close(flipped[1], image[1].flip(-1), **close)
    turned = moved(image, parts.rotation(both(pi / 2)))
    torch.testing.assert_close(turned[1], image[1].rot90(-1, (1, 2)), **close)  # clockwise


def test_a_scaled_ramp_is_flatter_and_an_unevenly_scaled_one_in_one_direction_only() -> None:
    x = (torch.arange(16) - 7.5).expand(2, 3, 16, 16).clone()
    for sides, factor in (((2.0, 2.0), 0.5), ((2.0, 0.5), 0.5), ((1.0, 3.0), 1)):
        sides = [torch.tensor([1.0, side]) for side in sides]
        got = moved(x, parts.scaling(*sides))
        middle = slice(6, 10)
        torch.testing.assert_close(got[1, 0, 8, middle], factor * x[1, 0, 8, middle], **close)


def test_beyond_the_rim_the_picture_is_mirrored() -> None:
    row = torch.arange(8.0).expand(1, 1, 8, 8)
    got = moved(row, parts.shift(torch.tensor([0.5]), torch.zeros(1)))
    assert got[0, 0, 0].tolist() == pytest.approx([1, 0, 0, 1, 2, 3, 4, 5], abs=1e-5)


def test_colours_are_what_they_are_said_to_be() -> None:
    image = picture()
    signed = 2 * image - 1
    cases = {
        parts.brighter: (0.3, signed + 0.3),
        parts.contrasted: (1.7, signed * 1.7),
        parts.hued: (2 * pi / 3, signed.roll(1, 1)),  # red to green, green to blue
        parts.saturated: (0.0, signed.mean(1, keepdim=True).expand_as(signed)),
    }
    for made, (value, expected) in cases.items():
        neutral = {parts.contrasted: 1.0, parts.saturated: 1.0}.get(made, 0.0)
        got = recoloured(image, made(torch.tensor([neutral, value])))
        assert torch.equal(got[0], image[0])
        torch.testing.assert_close(2 * got[1] - 1, expected[1], **close)


def test_a_hue_keeps_grey_and_lengths() -> None:
    colours = parts.hued(torch.tensor([0.4]))[0, :3, :3]
    torch.testing.assert_close(colours @ colours.T, torch.eye(3), **close)
    torch.testing.assert_close(colours @ torch.ones(3), torch.ones(3), **close)
    assert (colours @ torch.tensor([1.0, 0, 0]))[1] > 0, "red turns towards green"


def test_changes_happen_as_often_as_their_probability_says() -> None:
    torch.manual_seed(0)
    count, p = 4000, 0.3
    colours = random_colours(count, p)
    same = (colours - torch.eye(4)).abs().amax((1, 2)) < 1e-6
    assert same.float().mean().item() == pytest.approx(0.7**4, abs=0.03)
    motion = random_motion(count, p, 64)
    same = (motion - torch.eye(3)).abs().amax((1, 2)) < 1e-6
    # of those mirrored half are not; both turns together happen with probability p
    assert same.float().mean().item() == pytest.approx(0.85 * 0.7**5, abs=0.03)


def test_everything_is_of_the_global_generator_and_gradients_pass() -> None:
    image = picture(16).requires_grad_()
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append(at(1)(image))
    assert torch.equal(*results)
    assert (results[0] - image).abs().max() > 0.1
    results[0].square().sum().backward()
    assert image.grad.isfinite().all() and (image.grad.abs().amax((1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize("sure, step", [(1.0, 1), (0.0, -1)])
def test_p_rises_while_the_discriminator_is_too_sure_and_falls_else(sure: float, step: int) -> None:
    augment = AdaptiveAugment(images=1000)
    augment.p.fill_(0.5)
    scores = torch.tensor([1.0, 1.0, 1.0, 2 * sure - 1])  # mean sign 1 or 0.5, target 0.6
    for _ in range(EVERY - 1):
        augment.adapt(scores)
        assert augment.p == 0.5
    augment.adapt(scores)
    assert augment.p.item() == pytest.approx(0.5 + step * EVERY * 4 / 1000)
    assert augment.heard.tolist() == [0, 0, 0]


def test_p_stays_a_probability() -> None:
    augment = AdaptiveAugment(images=10)
    for scores, expected in ((torch.ones(4), 1), (-torch.ones(4), 0)):
        for _ in range(2 * EVERY):
            augment.adapt(scores)
        assert augment.p == expected
