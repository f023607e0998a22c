"""Synthetic heads of both versions from several sides: one face, one light, depths that agree."""

from functools import partial

import numpy as np
import pytest
import torch

from l2rkit.data import DetailedTurnedHeads, TurnedHeads
from l2rkit.data.heads import turned
from l2rkit.data.heads.dataset import make_images, pack
from l2rkit.data.heads.detailed import SCENE_DRAWS, detailed_images
from l2rkit.errors import DataError
from l2rkit.geometry import move, move_back, project, unproject, view_of
from l2rkit.structures import BACKGROUND

SIZE, BACKGROUND_32 = 48, np.float32(BACKGROUND)


KINDS = [TurnedHeads, DetailedTurnedHeads]


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def made(kind):
    """Two people at -45, 0 and 45 degrees, as they are drawn."""
    return list(kind.images(range(2), 0, "test", SIZE, (-45, 0, 45)))


def heads(kind, root, **options):
    return kind(**{**dict(people=3, image_size=16, root=str(root)), **options})


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


def test_samples_are_in_order_and_come_from_the_cache(kind, tmp_path, monkeypatch):
    dataset = heads(kind, tmp_path)
    names = [f"test-{number:06d}{yaw}" for number in range(3) for yaw in ("-45", "+00", "+45")]
    assert [dataset.get_data_info(i)["name"] for i in range(9)] == names
    assert not any("person" in sample for sample in dataset)
    for sample, photo in zip(dataset, kind.images(range(3), 0, "test", 16, (-45, 0, 45))):
        np.testing.assert_array_equal(sample["img"], pack("img", photo["img"]))
        np.testing.assert_allclose(sample["depth"], photo["depth"], atol=4e-6)
        np.testing.assert_array_equal(sample["view"], photo["view"])
    version = 1 if kind is TurnedHeads else 2
    assert dataset.store.root.name == f"v{version}-seed0-test-16px-turned-45+0+45-rows"
    monkeypatch.setattr(kind, "images", None)  # none is made again
    again = heads(kind, tmp_path, people=2)
    np.testing.assert_array_equal(again[5]["img"], dataset[5]["img"])


def test_only_the_person_that_is_read_is_rendered(kind, tmp_path, capsys):
    many = heads(kind, tmp_path, people=1000)
    assert "3,000 synthetic heads of 16 px" in "".join(capsys.readouterr())
    assert not many.store.root.exists()
    late = many[2 * 3 + 1]
    assert many.store.made(3000) == 3
    np.testing.assert_array_equal(heads(kind, tmp_path / "b")[7]["img"], late["img"])


def test_other_views_show_the_same_face(kind, tmp_path):
    two = heads(kind, tmp_path, people=2, yaws_deg=(0, 30), fields=("img", "light"))
    three = heads(kind, tmp_path, people=2, fields=("img", "light"))
    np.testing.assert_array_equal(two[0]["img"], three[1]["img"])
    np.testing.assert_array_equal(two[2]["light"], three[5]["light"])


@pytest.mark.parametrize(
    ("kind", "scenes", "photos"),
    [
        (TurnedHeads, "TURNED_SCENES", partial(make_images, each=1)),
        (DetailedTurnedHeads, "DETAILED_SCENES", partial(detailed_images, each=1)),
    ],
)
def test_people_are_those_of_the_set_of_photos(kind, scenes, photos, monkeypatch):
    """With that set's draws of scenes, and not turned, they are its photos to the bit."""
    monkeypatch.setattr(turned, scenes, 2 if kind is TurnedHeads else SCENE_DRAWS)
    monkeypatch.setattr(turned, "in_views", lambda render, capture, yaws: [render(capture)])
    (own,) = kind.images([4], 0, "test", 32, (0,))
    (photo,) = photos([4], 0, "test", 32)
    for field, values in own.items():
        np.testing.assert_array_equal(values, photo[field])


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
def test_wrong_arguments_are_one_line(kind, tmp_path, options, said):
    with pytest.raises(DataError, match=f"{kind.__name__} .*{said}"):
        heads(kind, tmp_path, **options)
    assert not list(tmp_path.iterdir())
