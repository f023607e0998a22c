"""Photos listed by a CSV file, and errors in the file."""

import csv
import time

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

from l2rkit.data import FaceAligner, ManifestPhotos, read_photo
from l2rkit.data.centerface import FoundFace
from l2rkit.data.manifest import COLUMNS, LANDMARKS
from l2rkit.errors import DataError

POINTS = [30, 40, 60, 41, 46, 60, 33, 70, 58, 76]
ROWS = [  # path, person, split
    ("a/Zoë 1.png", "zoë", "train"),
    ("a/Zoë 2.png", "zoë", "val"),
    ("写真.png", "adam", "train"),
]


def folder(root, rows=ROWS, header=COLUMNS, points=POINTS, encoding="utf-8"):
    """A manifest and its photos, of noise."""
    lines = [[*row, *(p + i for p in points)] for i, row in enumerate(rows)]
    with open(root / "manifest.csv", "w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *lines])
    rng = np.random.default_rng(0)
    for path, *_ in rows:
        (root / path).parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (100, 90, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / path)
    return str(root)


def test_samples_of_a_split(tmp_path):
    root = folder(tmp_path, encoding="utf-8-sig")
    dataset = ManifestPhotos(root, "train")
    first, second = (dataset.get_data_info(i) for i in range(2))
    assert len(dataset) == 2 and first["name"] == ROWS[0][0] and second["name"] == ROWS[2][0]
    assert (first["person"], second["person"]) == (1, 0)  # sorted over all splits
    assert dataset.people().tolist() == [1, 0]
    np.testing.assert_array_equal(second["landmarks"].ravel(), np.array(POINTS) + 2)
    assert len(ManifestPhotos(root)) == 3


def test_several_splits_and_labels_of_photos(tmp_path):
    rows = [(*row, source, colour) for row, source, colour in zip(ROWS, "aab", "101")]
    root = folder(tmp_path, rows, [*COLUMNS[:3], "source", "colour", *COLUMNS[3:]])
    dataset = ManifestPhotos(root, ("val", "train"))
    assert len(dataset) == 3
    samples = [dataset.get_data_info(i) for i in range(3)]
    assert [sample["source"] for sample in samples] == ["a", "a", "b"]
    assert [sample["colour"] for sample in samples] == [1, 0, 1]
    assert [len(ManifestPhotos(root, split)) for split in ("val", ["val"])] == [1, 1]
    with pytest.raises(DataError, match="has no split 'vall': did you mean 'val'"):
        ManifestPhotos(root, ("train", "vall"))
    rows = [(*row, "a", "red") for row in ROWS]
    folder(tmp_path, rows, [*COLUMNS[:3], "source", "colour", *COLUMNS[3:]])
    with pytest.raises(DataError, match="colour is 0 or 1"):
        ManifestPhotos(root)


def test_the_crop_is_the_aligners(tmp_path):
    root = folder(tmp_path)
    pipeline = [dict(type="LoadPhoto"), dict(type="CropByLandmarks", image_size=32)]
    sample = DATASETS.build(dict(type="ManifestPhotos", data_root=root, pipeline=pipeline))[1]
    face = FoundFace(np.zeros(4), 1.0, sample["landmarks"].astype(float))
    expected, _ = FaceAligner(32).crop(read_photo(tmp_path / ROWS[1][0]), face)
    np.testing.assert_array_equal(sample["img"], expected)


def test_root_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENFACES_ROOT", raising=False)
    with pytest.raises(DataError, match="OPENFACES_ROOT; got neither"):
        ManifestPhotos()
    monkeypatch.setenv("OPENFACES_ROOT", folder(tmp_path))
    assert len(ManifestPhotos()) == 3


def test_only_the_path_is_required_and_names_are_free(tmp_path):
    for path, *_ in ROWS:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9)).save(tmp_path / path)
    (tmp_path / "list.csv").write_text("file\n" + "\n".join(r[0] for r in ROWS), "utf-8")
    dataset = ManifestPhotos(str(tmp_path), manifest="list.csv", columns=dict(path="file"))
    assert set(dataset.get_data_info(2)) == {"img_path", "name", "sample_idx"}
    assert dataset.people() is None
    with pytest.raises(DataError, match="has no column for split"):
        ManifestPhotos(str(tmp_path), "val", "list.csv", dict(path="file"))


def edited(root, old, new):
    path = root / "manifest.csv"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("path,", "paths,", r"has no column 'path': did you mean 'paths'\?"),
        ("mly,", "m_ly,", r"has no column 'mly': did you mean 'm_ly'\?"),
        ("person,split", "split,split", "has 2 times the column 'split'"),
        (",76", ",7x6", "row 1: mry is not a number: '7x6'"),
        (",76", ",nan", "row 1: a landmark is not finite"),
        ("写真.png,", ",", "row 3 has an empty path"),
        ("写真.png,", "", "row 3 has 12 of 13 fields"),
        ("写真.png", "写真 2.png", "1 of 3 photos looked for are not below .*'写真 2.png'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, old, new, message):
    root = folder(tmp_path)
    edited(tmp_path, old, new)
    with pytest.raises(DataError, match=message) as caught:
        ManifestPhotos(root)
    assert "\n" not in str(caught.value)


def test_wrong_arguments_are_named(tmp_path):
    root = folder(tmp_path)
    with pytest.raises(DataError, match=r"no split 'trian': did you mean 'train'\?"):
        ManifestPhotos(root, "trian")
    with pytest.raises(DataError, match=r"columns has no 'persn': did you mean 'person'\?"):
        ManifestPhotos(root, columns=dict(persn="who"))
    with pytest.raises(DataError, match=r"has no column 'who'"):
        ManifestPhotos(root, columns=dict(person="who"))
    with pytest.raises(DataError, match="no such file"):
        ManifestPhotos(root, manifest="other.csv")
    (tmp_path / "manifest.csv").write_bytes("path\nZo\xeb.png".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not UTF-8 \(byte 7\)"):
        ManifestPhotos(root)
    (tmp_path / "manifest.csv").write_text("path\n")
    with pytest.raises(DataError, match="has no rows"):
        ManifestPhotos(root)


def test_duplicates_are_refused_but_two_faces_are_not(tmp_path):
    root = folder(tmp_path, [ROWS[0], ROWS[2], ROWS[0]])
    assert len(ManifestPhotos(root)) == 3  # landmarks differ
    edited(tmp_path, ",".join(str(p + 2) for p in POINTS), ",".join(map(str, POINTS)))
    with pytest.raises(DataError, match=r"has 'a/Zoë 1.png' twice, in rows 1 and 3"):
        ManifestPhotos(root)


def test_a_long_manifest_starts_fast(tmp_path, monkeypatch):
    """A tenth of a million rows; the limit is generous, since machines differ."""
    count = 100_000
    lines = (f"p/{i}.jpg,who{i // 7},train" + ",1.5" * 10 for i in range(count))
    text = ",".join(("path", "person", "split", *LANDMARKS)) + "\n" + "\n".join(lines)
    (tmp_path / "manifest.csv").write_text(text)
    monkeypatch.setattr("l2rkit.data.manifest.os.path.isfile", lambda path: True)
    start = time.process_time()
    dataset = ManifestPhotos(str(tmp_path), "train")
    assert time.process_time() - start < 2
    assert dataset.get_data_info(-1)["name"] == f"p/{count - 1}.jpg"
