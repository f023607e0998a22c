"""Synthetic heads as photo sets with the requested number of photos per person."""

import numpy as np
import pytest
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader

from l2rkit.data import PersonSampler, PhotoCollections, SyntheticHeads
from l2rkit.data.heads.dataset import FIELDS, make_images, pack
from l2rkit.data.people import people_of
from l2rkit.errors import DataError

PIPELINE = [dict(type="PackPhoto")]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(tmp_path_factory.mktemp("heads"))


def heads(root, size=24, each=8, **options):
    return SyntheticHeads("test", size, image_size=16, root=root, photos_per_person=each, **options)


def test_as_many_photos_of_each_person_as_asked_for(root):
    dataset = heads(root)
    assert people_of(dataset).tolist() == [20_000_000] * 8 + [20_000_001] * 8 + [20_000_002] * 8
    assert dataset.store.root.name == "v1-seed0-test-16px-8each-rows"
    assert heads(root, each=4).store.root.name == "v1-seed0-test-16px-rows"  # as it always was
    with pytest.raises(ValueError, match="photos_per_person is 1 or more, not 0"):
        heads(root, each=0)


def test_four_each_gives_the_bytes_of_the_default(root):
    dataset = heads(root, size=5, each=4, fields=FIELDS)
    for sample, made in zip(dataset, make_images(range(5), 0, "test", 16)):
        np.testing.assert_array_equal(sample["img"], pack("img", made["img"]))
        np.testing.assert_array_equal(sample["view"], made["view"])


def test_one_person_keeps_the_head_and_changes_view_light_and_expression():
    """The same people as in the sets of four; the fifth photo is still of the first."""
    fields = ("img", "depth", "light", "view")
    eight = list(make_images(range(9), 0, "test", 32, each=8))
    four = list(make_images(range(5), 0, "test", 32, each=4))
    for a, b in zip(eight[:4], four):
        assert all(np.array_equal(a[f], b[f]) for f in fields)
    assert not np.array_equal(eight[4]["img"], four[4]["img"])  # the same scene, another person
    assert np.array_equal(eight[4]["view"], four[4]["view"])
    second = next(make_images([8], 0, "test", 32, each=8))
    assert np.array_equal(second["img"], eight[8]["img"])  # whichever was made before
    for field in ("light", "view"):
        assert len({tuple(photo[field]) for photo in eight[:8]}) == 8


def test_batches_of_persons(root):
    dataset = PhotoCollections(heads(root, size=32), min_photos=5, pipeline=PIPELINE)
    sampler = PersonSampler(dataset, photos=6, seed=0)
    batches = list(DataLoader(dataset, 12, sampler=sampler, collate_fn=default_collate))
    people = [batch["person"].reshape(2, 6) for batch in batches]
    assert all((rows == rows[:, :1]).all() for rows in people)
    assert all(len({*batch["name"]}) == 12 for batch in batches)  # no photo twice
    assert PersonSampler(heads(root), photos=6, seed=0).people_each == 3


def test_sets_grow_with_the_epochs(root):
    dataset = heads(root, size=40)
    sampler = PersonSampler(dataset, photos={0: 1, 2: 3, 3: 8}, seed=0)
    for epoch, each in enumerate([1, 1, 3, 8, 8]):
        sampler.set_epoch(epoch)
        fixed = PersonSampler(dataset, photos=each, seed=0)
        fixed.set_epoch(epoch)
        assert sampler.photos == (each,) and len(sampler) == 5 * each
        assert list(sampler) == list(fixed)
    for wrong, why in (({1: 2}, "from epoch 0 on"), ({0: 2, 5: 0}, "whole numbers from 1 on")):
        with pytest.raises(DataError, match=why):
            PersonSampler(dataset, photos=wrong)
