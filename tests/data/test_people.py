"""Photos by person, and batches of people with known random draws."""

from multiprocessing import dummy
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from mmengine.dataset import default_collate
from mmengine.registry import DATA_SAMPLERS
from PIL import Image
from torch.utils.data import DataLoader

from l2rkit.data import PersonSampler, PhotoCollections, PhotoFolder
from l2rkit.data.people import group, people_of
from l2rkit.errors import DataError
from tools.dataset_converters import photo_collections as tool

ROOT = Path(__file__).parents[2]
PEOPLE = dict(Ann=3, Bob=1, Cem=5, Dee=2, Eva=4)
PIPELINE = [dict(type="LoadPhoto"), dict(type="PackPhoto")]


def lfw(root, people=PEOPLE):
    """LFW's layout: Ann/Ann_0001.jpg."""
    for who, count in people.items():
        (root / who).mkdir(parents=True)
        for i in range(1, count + 1):
            Image.new("RGB", (8, 8), (10 * i,) * 3).save(root / who / f"{who}_{i:04d}.jpg")
    return str(root)


def test_people_with_too_few_photos_are_left_out(tmp_path):
    dataset = PhotoCollections(lfw(tmp_path), min_photos=3)
    names = [dataset.get_data_info(i)["name"].split("/")[0] for i in range(len(dataset))]
    assert names == ["Ann"] * 3 + ["Cem"] * 5 + ["Eva"] * 4
    assert dataset.people().tolist() == [0] * 3 + [2] * 5 + [4] * 4  # the ids of all folders
    with pytest.raises(DataError, match="at least 9 photos; the most photos of one person are 5"):
        PhotoCollections(str(tmp_path), min_photos=9)


def test_celebas_identity_file(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    people = [2880, 17, 2880, 17, 5, 2880]
    names = [f"{i + 1:06d}.jpg" for i in range(len(people))]
    for name in names:
        Image.new("RGB", (178, 218)).save(tmp_path / "img_align_celeba" / name)
    for file, values in {"identity_CelebA": people, "list_eval_partition": [0] * 5 + [1]}.items():
        lines = [f"{name} {value}" for name, value in zip(names, values)]
        (tmp_path / f"{file}.txt").write_text("\n".join(lines))
    source = dict(type="CelebA", data_root=str(tmp_path), split="train")
    dataset = PhotoCollections(source, min_photos=2)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(i["name"], i["person"]) for i in infos] == [
        ("000002.jpg", 17), ("000004.jpg", 17), ("000001.jpg", 2880), ("000003.jpg", 2880),
    ]  # fmt: skip
    assert infos[0]["crop_box"] and infos[3]["sample_idx"] == 3
    (tmp_path / "identity_CelebA.txt").unlink()
    with pytest.raises(DataError, match="CelebA does not say who is on its photos"):
        PhotoCollections(source)


def test_the_same_person_stands_in(tmp_path):
    root = lfw(tmp_path, {f"p{i:02d}": 4 for i in range(30)})
    (tmp_path / "p03" / "p03_0004.jpg").write_bytes(b"broken")
    dataset = PhotoCollections(root, pipeline=PIPELINE)
    sample = dataset[15]
    assert sample["person"] == 3 and sample["name"] == "p03/p03_0001.jpg"


class People:
    """What a sampler needs of a dataset."""

    def __init__(self, people):
        self.people = lambda: np.array(people)


def test_known_answer():
    """The definition in plain words, and the numbers it gave when it was written."""
    people = [7, 3, 7, 3, 3, 9, 7, 9, 3, 1]
    sampler = PersonSampler(People(people), photos=2, seed=5)
    sampler.set_epoch(2)
    groups = {1: [9], 3: [1, 3, 4, 8], 7: [0, 2, 6], 9: [5, 7]}
    expected = []
    for who in np.random.default_rng([5, 2]).permutation(4):
        rows = groups[sorted(groups)[who]]
        drawn = np.random.default_rng([5, 2, who]).permutation(rows).tolist()
        expected += (drawn * 2)[:2]
    assert list(sampler) == expected == [9, 9, 4, 3, 5, 7, 2, 0]
    assert len(sampler) == 8


def test_batches_hold_so_many_of_each_person(tmp_path):
    dataset = PhotoCollections(lfw(tmp_path, {f"p{i}": 5 for i in range(8)}), pipeline=PIPELINE)
    sampler = DATA_SAMPLERS.build(
        dict(type="PersonSampler", photos=4), default_args=dict(dataset=dataset, seed=0)
    )
    loader = DataLoader(dataset, batch_size=8, sampler=sampler, collate_fn=default_collate)
    seen = []
    for batch in loader:
        sets = batch["person"].reshape(2, 4)
        assert (sets == sets[:, :1]).all() and sets[0, 0] != sets[1, 0]
        assert len(set(batch["name"])) == 8  # nobody's photo twice
        seen += sets[:, 0].tolist()
    assert sorted(seen) == list(range(8))


def test_sets_of_several_sizes(tmp_path):
    collection = PhotoCollections(lfw(tmp_path, {f"p{i}": 4 for i in range(8)}))
    sampler = PersonSampler(collection, (4, 2, 1, 1), seed=0)
    indices = list(sampler)
    assert len(indices) == len(sampler) == 2 * (4 + 2 + 1 + 1)
    for batch in (indices[:8], indices[8:]):
        who, counts = np.unique(collection.people()[batch], return_counts=True)
        assert len(who) == 4 and sorted(counts) == [1, 1, 2, 4]
        assert len(set(batch)) == 8
    for wrong in ((), (4, 0)):
        with pytest.raises(DataError, match="whole numbers from 1 on"):
            PersonSampler(collection, wrong)


def test_epochs_differ_and_repeat():
    sampler = PersonSampler(People(np.repeat(np.arange(20), 6)), photos=3, seed=1)
    first, again = list(sampler), list(sampler)
    assert first == again
    sampler.set_epoch(1)
    assert list(sampler) != first
    resumed = PersonSampler(People(np.repeat(np.arange(20), 6)), photos=3, seed=1)
    resumed.set_epoch(1)
    assert list(resumed) == list(sampler)


def test_processes_share_out_the_people(monkeypatch):
    people = np.repeat(np.arange(11), 4)

    def share(rank, world):
        monkeypatch.setattr("l2rkit.data.people.get_dist_info", lambda: (rank, world))
        return list(PersonSampler(People(people), photos=2, seed=3))

    whole = np.reshape(share(0, 1), (-1, 2)).tolist()
    parts = [np.reshape(share(rank, 3), (-1, 2)).tolist() for rank in range(3)]
    assert [len(part) for part in parts] == [3, 3, 3]
    assert [parts[i % 3][i // 3] for i in range(9)] == whole[:9]  # no person on two processes
    with pytest.raises(DataError, match="a person for each of 12 processes; got 11"):
        share(0, 12)


def test_people_of_sets_without_people(tmp_path):
    with pytest.raises(DataError, match="PhotoFolder does not say who"):
        people_of(PhotoFolder(lfw(tmp_path)))
    assert people_of(PhotoFolder(str(tmp_path), person_folders=True)).tolist() == [
        0, 0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4,
    ]  # fmt: skip


def test_group():
    got = [(who, rows.tolist()) for who, rows in group(np.array([5, 2, 5]))]
    assert got == [(2, [1]), (5, [0, 2])]
    assert group(np.array([], np.int64)) == []


def test_converter_aligns_resumes_and_is_read_back(tmp_path, monkeypatch):
    for who, number in (("ann", 1), ("eve", 3)):
        (tmp_path / "in" / who).mkdir(parents=True)
        for name in ("1.jpg", "2.png"):
            portrait = Image.open(ROOT / f"l2rkit/zoo/samples/portrait_{number}.jpg")
            portrait.save(tmp_path / "in" / who / name)
    Image.new("RGB", (60, 60)).save(tmp_path / "in" / "ann" / "blank.png")
    (tmp_path / "in" / "eve" / "broken.jpg").write_bytes(b"broken")
    call = [tmp_path / "in", tmp_path / "out", "--size", 32]

    def run(workers):
        done = CliRunner().invoke(tool.main, list(map(str, [*call, "--workers", workers])))
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()[-1], done.stderr.splitlines()

    said, errors = run(1)
    assert said == "4 aligned, 0 kept, 2 left out"
    assert ["blank.png" in errors[0], "broken.jpg" in errors[1]] == [True, True]
    monkeypatch.setattr(tool, "get_context", lambda method: dummy)  # threads
    assert run(2)[0] == "0 aligned, 4 kept, 2 left out"
    assert len((tmp_path / "out" / "SHA256SUMS").read_text().splitlines()) == 4
    dataset = PhotoCollections(str(tmp_path / "out"), pipeline=PIPELINE)
    assert [sample["name"] for sample in dataset] == [
        "ann/1.jpg.jpg", "ann/2.png.jpg", "eve/1.jpg.jpg", "eve/2.png.jpg",
    ]  # fmt: skip
    assert dataset[0]["photo"].shape == (3, 32, 32)


def test_each_alone(tmp_path):
    pipeline = [dict(type="EachAlone"), *PIPELINE]
    dataset = PhotoCollections(lfw(tmp_path), pipeline=pipeline)
    people = [int(dataset[i]["person"]) for i in range(len(dataset))]
    assert len(set(people)) == len(people) == 14
