"""Heads of version 2 in crops like the aligner's: where they lie, and what they show."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from l2rkit.data import DetailedHeads
from l2rkit.data.crops import TEMPLATE, fit_similarity
from l2rkit.data.heads import HeadModel
from l2rkit.data.heads.atlas import landmark_points
from l2rkit.data.heads.character import random_character, texture_side
from l2rkit.data.heads.detailed import ALIGNED_FIELDS, FIELDS, detailed_images
from l2rkit.data.heads.framing import aligned_frame, framed
from l2rkit.data.heads.portrait import posed_points, render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.render import project
from l2rkit.errors import DataError
from l2rkit.landmarks.points import five_points

SIZE = 64


@pytest.fixture(scope="module")
def model():
    return HeadModel.load()


@pytest.fixture(scope="module")
def scenes(model):
    """A person turned to both sides, rolled, and shifted."""
    person = random_character(model, np.random.default_rng(2), "train", texture_side(SIZE))
    capture = random_portrait_capture(model, np.random.default_rng(5))
    views = np.float32([[0.1, 0.7, 0.2, 0, 0, 0], [0, -0.6, 0, 0.01, -0.01, 0], [0] * 6])
    return person, [replace(capture, view=view) for view in views]


def test_without_a_frame_points_are_where_project_puts_them(model):
    points = model.vertices()
    whole = np.float64([[1, 0, 0], [0, 1, 0]])
    for frame in (None, whole):
        for size, finer in ((64, 1), (128, 2)):
            expected = project(points, size, finer)
            np.testing.assert_allclose(framed(points, size, finer, frame), expected, atol=1e-9)


def test_a_frame_is_in_fractions_of_the_picture(model):
    points = model.vertices()
    half = np.float64([[0.5, 0, 0.25], [0, 0.5, 0]])  # half as large, in the middle of the top
    there, here = project(points, 64), framed(points, 64, 1, half)
    np.testing.assert_allclose(here[:, 0] + 0.5, (there[:, 0] + 0.5) / 2 + 16)
    np.testing.assert_allclose(here[:, 1] + 0.5, (there[:, 1] + 0.5) / 2)
    assert (here[:, 2] == there[:, 2]).all()


def test_eyes_nose_and_mouth_are_where_the_aligner_puts_them(model, scenes):
    person, captures = scenes
    middles = []
    for capture in captures:
        points = posed_points(model, person, capture)
        frame = aligned_frame(model, points, SIZE)
        seen = framed(landmark_points(model, points), SIZE, 1, frame)
        five = (five_points(seen) + 0.5) / SIZE
        again = fit_similarity(five, TEMPLATE)  # nothing is left to move
        np.testing.assert_allclose(again, [[1, 0, 0], [0, 1, 0]], atol=1e-6)
        middles.append(five.mean(0))
    assert np.ptp(middles, axis=0).max() < 1e-6  # wherever the head was turned to


def test_the_crop_shows_what_the_picture_shows(model, scenes):
    person, captures = scenes
    person = replace(person, occluders=())
    for capture in captures:
        capture = replace(capture, background=(np.full((2, 2, 3), 0.5, np.float32),))
        frame = aligned_frame(model, posed_points(model, person, capture), SIZE)
        whole = render_portrait(model, person, capture, 4 * SIZE)
        crop = render_portrait(model, person, replace(capture, frame=frame), 4 * SIZE)
        pixels = np.column_stack([frame[:, :2], 4 * SIZE * frame[:, 2]])  # to fractions of edges
        pixels[:, 2] += frame[:, :2] @ [0.5, 0.5] - 0.5
        inside = cv2.warpAffine(np.ones((4 * SIZE,) * 2), pixels, (4 * SIZE,) * 2) > 0.99
        moved = cv2.warpAffine(whole["img"], pixels, (4 * SIZE,) * 2)
        assert inside.mean() > 0.5
        assert np.abs(moved - crop["img"])[inside].mean() < 0.01
        wrong = cv2.warpAffine(
            whole["img"], np.add(pixels, [[0, 0, 4], [0, 0, 0]]), (4 * SIZE,) * 2
        )
        assert np.abs(wrong - crop["img"])[inside].mean() > 0.015


def test_aligned_photos_show_the_same_people_and_have_their_own_cache(tmp_path):
    heads, aligned = (
        DetailedHeads("val", 4, root=str(tmp_path), aligned=way) for way in (False, True)
    )
    plain, framed_photo = heads[0]["img"], aligned[0]["img"]
    assert [s["name"] for s in heads] == [s["name"] for s in aligned]
    assert np.abs(plain.astype(float) - framed_photo).mean() > 3
    (expected,) = detailed_images([0], 0, "val", 64, aligned=True)
    np.testing.assert_array_equal(framed_photo, np.round(expected["img"] * 255))
    np.testing.assert_array_equal(heads[0]["img"], plain)


def test_fields_of_the_whole_picture_are_refused(tmp_path):
    DetailedHeads("val", 4, root=str(tmp_path), fields=ALIGNED_FIELDS, aligned=True)
    for field in set(FIELDS) - set(ALIGNED_FIELDS):
        with pytest.raises(DataError, match=f"no field '{field}'"):
            DetailedHeads("val", 4, root=str(tmp_path), fields=(field,), aligned=True)
