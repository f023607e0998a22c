"""Synthetic heads from several sides: one face, one light, and depths that agree."""

import numpy as np
import pytest
import torch

from l2rkit.data import TurnedHeads
from l2rkit.data.heads.dataset import pack
from l2rkit.data.heads.turned import turned_images
from l2rkit.errors import DataError
from l2rkit.geometry import move, move_back, project, unproject, view_of
from l2rkit.structures import BACKGROUND

SIZE, BACKGROUND_32 = 48, np.float32(BACKGROUND)


@pytest.fixture(scope="module")
def made():
    """Two people at -45, 0 and 45 degrees, as they are drawn."""
    return list(turned_images(range(2), 0, "test", SIZE, (-45, 0, 45)))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Of 2 people, so that a set lies across several."""
    monkeypatch.setattr("l2rkit.data.heads.turned.CHUNK", 2)


def heads(root, **options):
    return TurnedHeads(**{**dict(people=3, image_size=16, root=str(root)), **options})


def test_views_are_yaws_alone_and_the_light_stays(made):
    for photo, yaw in zip(made, (-45, 0, 45) * 2):
        np.testing.assert_allclose(photo["view"], view_of(yaw), atol=1e-7)
    for first in (0, 3):
        left, front, right = made[first : first + 3]
        for photo in (left, right):
            np.testing.assert_array_equal(photo["light"], front["light"])
            behind = (photo["depth"] == BACKGROUND_32) & (front["depth"] == BACKGROUND_32)
            assert behind.sum() > 30
            np.testing.assert_array_equal(photo["albedo"][behind], front["albedo"][behind])
    assert not np.array_equal(made[0]["light"], made[3]["light"])


def test_what_one_view_sees_lies_where_the_others_have_it(made):
    """Points of the frontal depth, turned, are on the turned depth or hidden behind it."""
    for front, sides in ((1, (0, 2)), (4, (3, 5))):
        depth = torch.tensor(made[front]["depth"])[None, None]
        points = unproject(depth)[depth.expand(1, 3, -1, -1) < BACKGROUND].view(1, 3, -1, 1)
        for side in sides:
            view = torch.tensor(made[side]["view"])[None]
            u, v, z = project(move(move_back(points, torch.zeros(1, 6)), view), SIZE)[0, :, :, 0]
            column, row = u.round().long(), v.round().long()
            inside = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
            there = torch.tensor(made[side]["depth"])[row[inside], column[inside]]
            seen = there < BACKGROUND
            ahead = (there - z[inside])[seen]  # above 0: nearer than what the other view sees
            assert seen.float().mean() > 0.9  # the nearest pixel may lie beside the contour
            assert ahead.median().abs() < 0.002 and ahead.quantile(0.97) < 0.01


def test_samples_are_in_order_and_come_from_the_cache(tmp_path, monkeypatch):
    dataset = heads(tmp_path)
    names = [f"test-{number:06d}{yaw}" for number in range(3) for yaw in ("-45", "+00", "+45")]
    assert [sample["name"] for sample in dataset] == names
    assert not any("person" in sample for sample in dataset)
    for sample, photo in zip(dataset, turned_images(range(3), 0, "test", 16, (-45, 0, 45))):
        np.testing.assert_array_equal(sample["img"], pack("img", photo["img"]))
        np.testing.assert_allclose(sample["depth"], photo["depth"], atol=4e-6)
        np.testing.assert_array_equal(sample["view"], photo["view"])
    assert dataset.store.root.name == "v1-seed0-test-16px-turned-45+0+45"
    monkeypatch.setattr("l2rkit.data.heads.turned.turned_images", None)  # none is made again
    again = heads(tmp_path, people=2)
    np.testing.assert_array_equal(again[5]["img"], dataset[5]["img"])


def test_other_views_show_the_same_face(tmp_path):
    two = heads(tmp_path, yaws_deg=(0, 30), fields=("img", "light"))
    three = heads(tmp_path, fields=("img", "light"))
    np.testing.assert_array_equal(two[0]["img"], three[1]["img"])
    np.testing.assert_array_equal(two[2]["light"], three[5]["light"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(split="tset"), "did you mean 'test'"),
        (dict(fields=("img", "dpeth")), "did you mean 'depth'"),
        (dict(yaws_deg=(0, 0)), "different whole degrees"),
        (dict(yaws_deg=(0.5,)), "different whole degrees"),
        (dict(yaws_deg=()), "different whole degrees"),
    ],
)
def test_wrong_arguments_are_one_line(tmp_path, options, said):
    with pytest.raises(DataError, match=said):
        heads(tmp_path, **options)
    assert not list(tmp_path.iterdir())
