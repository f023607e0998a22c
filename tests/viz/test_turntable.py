"""Turned faces: views, order, and files."""

import io

import pytest
import torch
from PIL import Image

from l2rkit.geometry import view_of
from l2rkit.render import GridRenderer
from l2rkit.structures import Light
from l2rkit.testing import example_face
from l2rkit.viz.panel import on_white
from l2rkit.viz.turntable import gif, light_from, relit, turntable


def test_it_begins_ahead_and_swings_to_both_sides():
    face, render = example_face(16), GridRenderer(24)
    pictures = turntable(render, face, frames=4, yaw_deg=30, pitch_deg=5)
    assert pictures.shape == (4, 2, 3, 24, 24)
    for picture, yaw in zip(pictures, (0, 30, 0, -30)):
        seen = render(face.with_view(view_of(yaw, 5)))
        expected = on_white(seen.image, seen.mask)
        torch.testing.assert_close(picture, expected, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="1 frame or more"):
        turntable(render, face, frames=0)


def test_the_gif_has_the_frames_and_goes_round():
    pictures = turntable(GridRenderer(), example_face(16), frames=5)[:, 0]
    moving = Image.open(io.BytesIO(gif(pictures, seconds=1)))
    assert moving.n_frames == 5 and moving.size == (16, 16)
    assert moving.info["loop"] == 0 and moving.info["duration"] == 200


def test_the_light_goes_round_clockwise_from_above_and_stays_as_strong():
    face, render = example_face(16), GridRenderer()
    pictures = relit(render, face, frames=4, tilt_deg=30)
    assert pictures.shape == (4, 2, 3, 16, 16)
    strength = face.light.ambient + face.light.diffuse
    side, ahead = 0.5, 0.75**0.5
    ways = ((0, -side, -ahead), (side, 0, -ahead), (0, side, -ahead), (-side, 0, -ahead))
    for picture, way in zip(pictures, ways):
        light = Light(0.3 * strength, 0.7 * strength, torch.tensor([way] * 2))
        seen = render(face.with_view(view_of()).with_light(light))
        torch.testing.assert_close(picture, on_white(seen.image, seen.mask), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="1 frame or more"):
        relit(render, face, frames=0)


def test_light_from_the_right_and_from_above():
    one = torch.ones(1)
    for angles, way in (((0, 0), (0, 0, -1)), ((90, 0), (1, 0, 0)), ((0, 90), (0, -1, 0))):
        light = light_from(*angles, one, 2 * one)
        torch.testing.assert_close(light.direction, torch.tensor([way]).float(), atol=1e-6, rtol=0)
        assert (light.ambient, light.diffuse) == (1, 2)


@pytest.mark.parametrize(("frames", "lasts"), [(24, 3.0), (7, 3.0), (400, 8.0)])
def test_a_gif_lasts_as_long_as_it_should(frames, lasts):
    """A frame lasts at least two hundredths of a second."""
    shades = torch.linspace(0, 1, frames).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    picture = Image.open(io.BytesIO(gif(shades)))
    durations = [(picture.seek(i), picture.info["duration"])[1] for i in range(picture.n_frames)]
    assert sum(durations) == pytest.approx(1000 * lasts, abs=5)
