"""Resizing against OpenCV's, and degradation at another size."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import batch, picture

from l2rkit.degrade import Degradation, DownUpsample, Resized
from l2rkit.degrade.degradation import rng_of
from l2rkit.errors import PartError
from l2rkit.ops.resize import METHODS, aligned, resized, resized_image, weights

SIDES = st.integers(1, 48)


class Seen(Degradation):
    """Remembers what it is shown and changes nothing."""

    def degrade(self, photo, drawn):
        self.photo = photo
        return photo

    def degrade_image(self, image, drawn):
        self.image = image
        return image


@pytest.mark.parametrize("method", METHODS)
@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_size_as_opencv(method, old, new, seed):
    """Within 1e-4; OpenCV computes its weights in float32."""
    image = np.random.default_rng(seed).random((*old, 3), np.float32)
    ours = resized(batch(image), new, method)[0].movedim(0, 2).numpy()
    np.testing.assert_allclose(ours, resized_image(image, new, method), atol=1e-4)


def test_area_weighs_pixels_by_the_share_that_is_covered():
    np.testing.assert_allclose(
        weights(5, 2, "area"), np.array([[2, 2, 1, 0, 0], [0, 0, 1, 2, 2]]) / 5
    )
    np.testing.assert_allclose(weights(6, 3, "area")[1], [0, 0, 0.5, 0.5, 0, 0])


@pytest.mark.parametrize("method", METHODS)
def test_an_equal_size_and_an_even_surface_stay(method):
    np.testing.assert_allclose(weights(7, 7, method), np.eye(7), atol=1e-12)
    np.testing.assert_allclose(weights(31, 9, method).sum(1), 1)
    np.testing.assert_allclose(weights(9, 31, method).sum(1), 1)


def test_bilinear_shrinking_aliases_and_area_does_not():
    stripes = torch.zeros(1, 3, 32, 32)
    stripes[..., ::4] = 1
    assert resized(stripes, (8, 8), "area").std() < 1e-6
    points = torch.zeros(1, 3, 32, 32)
    points[..., 1::4, 1::4] = 1
    assert resized(points, (8, 8), "bilinear").mean() == pytest.approx(1 / 4)
    assert resized(points, (8, 8), "area").mean() == pytest.approx(1 / 16)


@pytest.mark.parametrize(
    ("part", "size"),
    [
        (DownUpsample(4), (16, 12)),
        (DownUpsample(2.5), (26, 19)),
        (DownUpsample(1), (64, 48)),
        (DownUpsample(30), (11, 8)),  # the shorter side keeps 8 px
        (DownUpsample(30, least=1), (2, 2)),
        (Resized(1.5), (96, 72)),
        (Resized(0.25), (16, 12)),
    ],
)
def test_parts_inside_see_the_photo_at_its_size(part, size):
    part.inside.parts.append(seen := Seen())
    image = picture(64, 48)
    assert part(batch(image), torch.Generator()).shape == (1, 3, 64, 48)
    assert part.on_image(image, rng_of(0)).shape == (64, 48, 3)
    assert tuple(seen.photo.shape[2:]) == seen.image.shape[:2] == size


def test_factors_are_spread_over_the_range_that_a_photo_allows():
    def factors(height):
        part = DownUpsample((1, 8), least=16)
        return [height / part.draw(rng_of(i), height, height)["size"][0] for i in range(300)]

    assert np.mean(factors(1024)) == pytest.approx(4.5, abs=0.4) and max(factors(1024)) > 7.8
    small = factors(64)
    assert max(small) == 4 and np.mean(np.equal(small, 4)) < 0.1
    assert np.mean(small) == pytest.approx(2.5, abs=0.2)


def test_shrinking_loses_what_is_fine_and_keeps_what_is_coarse():
    image = picture(64, 64)
    small = DownUpsample(4).on_image(image, rng_of(0))
    stripes, input_gradient = np.s_[8:40, 50:60], np.s_[44:50, 24:40]
    assert small[stripes].std(0).mean() < 0.2 * image[stripes].std(0).mean()
    np.testing.assert_allclose(small[input_gradient], image[input_gradient], atol=0.06)


def test_methods_are_drawn_by_name():
    part = DownUpsample(2, down=("area", "bilinear"), up=["bicubic"])
    drawn = [part.draw(rng_of(i), 32, 32) for i in range(60)]
    assert {d["down"] for d in drawn} == {"area", "bilinear"}
    assert {d["up"] for d in drawn} == {"bicubic"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DownUpsample(0.5), r"DownUpsample: factor .* within 1\.\.inf, not 0\.5"),
        (lambda: DownUpsample(2, down="bicubical"), "did you mean 'bicubic'"),
        (lambda: DownUpsample(2, up=()), "expects at least one of area, bilinear"),
        (lambda: DownUpsample(2, least=0), "least is a number of px from 1 on, not 0"),
        (lambda: Resized(0), "Resized: scale"),
        (lambda: DownUpsample(2, inside=dict(type="Jpeg")), "a list of parts, not one dict"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_maps_of_faces_are_square():
    for old in ((40, 32), (20, 30), (40, 48)):
        with pytest.raises(PartError, match=f"square, not {old[0]} x {old[1]} px"):
            aligned(torch.rand(1, 3, *old), 32)
