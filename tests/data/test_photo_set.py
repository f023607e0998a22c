"""A few damaged photos are skipped and reported; many stop the run."""

import logging

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler, default_collate
from PIL import Image
from torch.utils.data import DataLoader

from l2rkit.data import PhotoFolder
from l2rkit.data import photo_set as module
from l2rkit.errors import DataError

PIPELINE = [dict(type="LoadPhoto"), dict(type="PackPhoto")]


@pytest.fixture
def said(monkeypatch):
    """The lines that a set prints."""
    lines = []
    monkeypatch.setattr(module, "print_log", lambda text, **_: lines.append(text))
    return lines


def photos(root, count, damaged=()):
    """Photo i is grey of level i; the damaged ones are cut short, empty, and a web page."""
    root.mkdir(exist_ok=True)
    for i in range(count):
        path = root / f"{i:04d}.png"
        Image.new("RGB", (8, 8), (i,) * 3).save(path)
        if i in damaged:
            whole = path.read_bytes()
            path.write_bytes((whole[:-30], b"", b"<html>not found</html>")[damaged.index(i) % 3])
    return PhotoFolder(str(root), PIPELINE)


def levels(samples):
    return [round(float(sample["photo"].mean()) * 255) for sample in samples]


@pytest.mark.parametrize("test_mode", [False, True])
def test_the_next_photo_stands_in_and_one_line_says_so(tmp_path, said, test_mode):
    dataset = photos(tmp_path, 200, damaged=(41, 199))
    dataset.test_mode = test_mode
    assert levels(dataset[i] for i in (40, 41, 42, 199, -1)) == [40, 42, 42, 0, 0]
    assert levels([dataset[41]]) == [42]
    assert len(said) == 2 and not any("\n" in line for line in said)
    assert "0041.png': is damaged or cut short" in said[0] and "(1 unusable so far)" in said[0]
    assert "0199.png': is empty (0 bytes)" in said[1] and "(2 unusable so far)" in said[1]


def test_neighbours_that_are_all_damaged(tmp_path, said):
    dataset = photos(tmp_path, 300, damaged=(7, 8, 9))
    assert levels([dataset[7], dataset[8]]) == [10, 10]
    assert "0009.png': is not a picture in a known format (begins with b'<html>" in said[-1]


def test_more_than_one_percent_stops(tmp_path, said):
    dataset = photos(tmp_path, 199, damaged=(3, 5))
    dataset[3]
    with pytest.raises(DataError, match=r"2 of 199 photos .* more than 1%; .*0005.png'") as caught:
        dataset[5]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_count_together(tmp_path, workers):
    good = photos(tmp_path / "good", 200, damaged=(0, 1))
    loader = dict(batch_size=10, num_workers=workers, collate_fn=default_collate)
    batches = list(DataLoader(good, **loader))
    assert sum(len(batch["photo"]) for batch in batches) == 200
    assert good.damaged.sum() == 2
    bad = photos(tmp_path / "bad", 199, damaged=(0, 10))  # one falls to each worker
    with pytest.raises(DataError, match="more than 1%"):
        for _ in range(2):  # the second epoch at the latest
            read = iter(DataLoader(bad, **loader, sampler=DefaultSampler(bad, shuffle=False)))
            list(read)
    if workers:  # collected later with the error, torch would wait 5 s for each worker
        read._shutdown_workers()


def test_a_subset_counts_for_itself(tmp_path, said):
    whole = photos(tmp_path, 200, damaged=(5,))
    part = whole.get_subset(np.arange(150).tolist())
    assert levels([part[5]]) == [6] and len(part.damaged) == 150
    assert not whole.damaged.any()


def test_logging_goes_through_mmengine(tmp_path, caplog):
    dataset = photos(tmp_path, 100, damaged=(2,))
    with caplog.at_level(logging.WARNING):
        assert levels([dataset[2]]) == [3]
