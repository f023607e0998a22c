"""The photo pack openfaces, made again from pictures with known crops."""

import csv
import gzip
import hashlib
import io
import os
import runpy
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from l2rkit.data import ManifestPhotos, read_photo
from l2rkit.data.manifest import LANDMARKS
from l2rkit.data.openfaces import (
    MANIFEST,
    SOURCES,
    cell_means,
    grey_cells,
    manifest_text,
    read_rows,
    summed,
)
from l2rkit.data.openfaces.place import cut, find_box
from l2rkit.errors import DataError

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "dataset_converters" / "openfaces.py"
SAMPLES = ROOT / "l2rkit" / "zoo" / "samples"
ORIGINS = dict(
    voteview="images/wiki/1.jpg",
    twfy="www/docs/images/mpsL/2.jpeg",
    london="inst/neutral_front/003_03.jpg",
    faker="male/512/4.jpg",
)
FACES = {  # x, y, width, height in the source picture, which has 420 x 512 px
    "voteview": (150.3, 160.2, 90.4, 110.7),  # within: 217 x 266 px, scaled
    "twfy": (201.6, 12.4, 40.1, 60.6),  # at the top
    "london": (-20.5, 200.2, 180.4, 220.1),  # at the left and bottom
    "faker": (80.0, 40.0, 250.0, 400.0),  # the whole picture
}


def picture(seed=0, size=(420, 512)):
    """A portrait among blots, (H, W, 3) uint8, that looks like itself nowhere else."""
    rng = np.random.default_rng(seed)
    blots = Image.fromarray(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8))
    portrait = Image.open(SAMPLES / "portrait_4.jpg").convert("RGB")
    mixed = Image.blend(portrait.resize(size), blots.resize(size, Image.Resampling.BICUBIC), 0.4)
    return np.array(mixed)


def crop_of(photo, face, longest):
    """The definition: box widened by 70 %, outwards to whole px, clipped, scaled down if longer.

    Returns the crop, its box and the face in px of the crop.
    """
    x, y, w, h = face
    x0, y0 = max(0, int(np.floor(x - 0.7 * w))), max(0, int(np.floor(y - 0.7 * h)))
    x1 = min(photo.shape[1], int(np.ceil(x + 1.7 * w)))
    y1 = min(photo.shape[0], int(np.ceil(y + 1.7 * h)))
    crop, scale = Image.fromarray(photo[y0:y1, x0:x1]), min(1, longest / max(x1 - x0, y1 - y0))
    if scale < 1:
        size = [round(side * scale) for side in crop.size]
        crop = crop.resize(size, Image.Resampling.LANCZOS)  # not what the converter does
    return crop, (x0, y0, x1, y1), np.multiply((x - x0, y - y0, w, h), scale)


def jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def fields_of(source, crop, face, name="1", origin=None):
    """A row of the manifest."""
    numbers = dict(zip(("face_x", "face_y", "face_w", "face_h"), np.round(face, 1).tolist()))
    x, y, w, h = face
    marks = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.75), (0.65, 0.75)])
    numbers |= dict(zip(LANDMARKS, np.round(marks * (w, h) + (x, y), 1).ravel().tolist()))
    grey = np.rint(grey_cells(np.array(crop))).astype(np.uint8).tobytes().hex()
    size = dict(width=crop.width, height=crop.height)
    start = dict(path=f"photos/{source}/{name}.jpg", source=source, person=name, split="train")
    return {**start, **size, **numbers, "origin": origin or ORIGINS[source], "grey": grey}


def write_manifest(path, lines):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


@pytest.fixture
def copies(tmp_path):
    """The four sources, one picture each, and their manifest; {source: the true crop}."""
    crops, lines = {}, []
    for seed, (source, face) in enumerate(FACES.items()):
        path = tmp_path / source / ORIGINS[source]
        path.parent.mkdir(parents=True)
        path.write_bytes(jpeg(Image.fromarray(picture(seed)), 92))
        crops[source], _, face = crop_of(read_photo(path), face, SOURCES[source].longest)
        lines.append(fields_of(source, crops[source], face))
    write_manifest(tmp_path / "list.csv", lines)
    return tmp_path, crops, lines


def run(root, *args, sources=(), workers=1):
    """Exit status, lines of the output, lines of the errors."""
    command = runpy.run_path(str(TOOL))["main"]
    words = [str(root / "out"), "--manifest", str(root / "list.csv"), "--workers", str(workers)]
    for source in sources:
        words += [f"--{source}", str(root / source)]
    result = CliRunner().invoke(command, [*words, *map(str, args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()


def test_cell_means_are_means():
    photo = picture(3)[:41, :50]
    grey = photo @ np.array([0.299, 0.587, 0.114])
    fine = grey.repeat(4, 0).repeat(4, 1)  # quarters of a px
    expected = [
        fine[j * 41 : (j + 1) * 41, i * 50 : (i + 1) * 50].mean()
        for j in range(4)
        for i in range(4)
    ]
    np.testing.assert_allclose(grey_cells(photo), expected, atol=1e-8)
    box = np.array([[3.25, 4.5, 11.25, 16.5]])  # cells of 2 x 3 px
    expected = [
        fine[18 + 12 * j : 30 + 12 * j, 13 + 8 * i : 21 + 8 * i].mean()
        for j in range(4) for i in range(4)
    ]  # fmt: skip
    np.testing.assert_allclose(cell_means(summed(photo), box)[0], expected, atol=1e-8)


PLACES = [
    (source, (x, y, w, w * 1.3))
    for source in SOURCES
    for x, y, w in ((150.3, 160.2, 31.4), (9.1, 150.7, 60.2), (330.4, 3.3, 55.5), (60.5, 120, 240))
]


@pytest.mark.parametrize(("source", "face"), [*FACES.items(), *PLACES])
def test_the_place_is_found(source, face, tmp_path):
    photo = picture(len(source))
    crop, box, inside = crop_of(photo, face, SOURCES[source].longest)
    path = write_manifest(tmp_path / "list.csv", [fields_of(source, crop, inside)])
    row = read_rows(path)[0]
    zoom = max(1, max(box[2] - box[0], box[3] - box[1]) / SOURCES[source].longest)
    got = np.array(find_box(photo, row))
    assert np.abs(got - box).max() <= (0 if zoom == 1 else zoom)  # 1 px of the crop
    made = cut(photo, row)
    assert made.shape == (row.height, row.width, 3)
    assert np.abs(made.astype(float) - np.array(crop)).mean() < (1e-9 if zoom == 1 else 3)


def test_a_picture_that_the_source_enlarged_or_trimmed_is_found(tmp_path):
    photo = picture(1)
    crop, box, inside = crop_of(photo, (160, 20, 50, 70), 256)
    row = read_rows(write_manifest(tmp_path / "l.csv", [fields_of("voteview", crop, inside)]))[0]
    assert row.touches == (False, False, True, False) and not row.scaled
    framed = np.pad(photo, ((30, 0), (0, 0), (0, 0)), mode="edge")
    assert np.abs(np.subtract(find_box(framed, row), box) - (0, 30, 0, 30)).max() <= 2
    large = np.array(Image.fromarray(photo).resize((840, 1024), Image.Resampling.BICUBIC))
    assert np.abs(np.divide(find_box(large, row), 2) - box).max() <= 2
    for wrong, said in ((picture(7), "no part .* looks like"), (photo[:60, :60], "60 x 60 px")):
        with pytest.raises(DataError, match=said):
            find_box(wrong, row)


def test_what_is_given_is_built_and_the_rest_is_named(copies):
    root, crops, _ = copies
    code, said, errors = run(root, sources=["voteview", "twfy", "faker"])
    assert (code, errors) == (0, [])
    assert said[-5:-1] == [
        "voteview: 1 of 1 photos", "twfy: 1 of 1 photos",
        "london: 0 of 1 photos; --london is not given", "faker: 1 of 1 photos",
    ]  # fmt: skip
    assert said[-1].startswith("3 cut, 0 kept, 0 left out in ")
    assert len(ManifestPhotos(str(root / "out"), "train")) == 3
    before = (root / "out" / "photos/faker/1.jpg").stat().st_mtime_ns
    (root / "out" / "photos/twfy/1.jpg").unlink()
    # the folder that all of a source's origins share may be left out
    assert run(root, "--london", root / "london" / "inst", sources=["faker", "twfy"])[0] == 0
    assert (root / "out" / "photos/faker/1.jpg").stat().st_mtime_ns == before
    dataset = ManifestPhotos(str(root / "out"), pipeline=[dict(type="LoadPhoto")])
    for source, sample in zip(FACES, dataset):
        assert sample["name"] == f"photos/{source}/1.jpg"
        difference = sample["img"].astype(float) - np.array(crops[source])
        assert np.abs(difference).mean() < 4  # of 255: JPEG, and up to a px
        with Image.open(sample["img_path"]) as file:
            assert file.size == crops[source].size and not file.getexif()
    lines = (root / "out" / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 5
    for digest, name in (line.split("  ") for line in lines):
        assert hashlib.sha256((root / "out" / name).read_bytes()).hexdigest() == digest
    assert "grey" not in (root / "out" / "manifest.csv").read_text()


def test_check_compares_sizes_presence_and_looks(copies):
    root, crops, _ = copies
    run(root, sources=["voteview", "faker"])
    code, said, errors = run(root, "--check")
    assert (code, errors) == (0, []) and said[1] == "twfy: 0 of 1 photos, 0 wrong"
    path = root / "out" / "photos/faker/1.jpg"
    for content, reason in (
        (jpeg(crops["faker"].resize((30, 40)), 90), "30 x 40 px; expected 420 x 512"),
        (jpeg(Image.new("RGB", (420, 512)), 90), "another picture"),
        (path.read_bytes()[:3000], "damaged or cut short"),
    ):
        path.write_bytes(content)
        code, said, errors = run(root, "--check")
        assert code == 1 and said[-1] == "faker: 1 of 1 photos, 1 wrong"
        assert len(errors) == 1 and reason in errors[0] and str(path) in errors[0]


@pytest.mark.parametrize("damage", ["absent", "cut", "other", "small"])
def test_pictures_that_cannot_be_used_are_left_out(copies, damage):
    root, _, lines = copies
    names = [f"male/512/{i}.jpg" for i in range(3)]
    content = (root / "faker" / ORIGINS["faker"]).read_bytes()
    write_manifest(
        root / "list.csv", [{**lines[3], "path": f"photos/{n}", "origin": n} for n in names]
    )
    for name in names:
        (root / "faker" / name).write_bytes(content)
    bad = root / "faker" / names[1]
    if damage == "absent":
        bad.unlink()
    else:
        other = jpeg(Image.fromarray(picture(9)), 92)
        small = jpeg(Image.new("RGB", (40, 40)), 92)
        bad.write_bytes(dict(cut=content[:999], other=other, small=small)[damage])
    code, said, errors = run(root, sources=["faker"])
    assert code == 1 and said[-1].startswith("2 cut, 0 kept, 1 left out in ")
    assert len(errors) == 1 and str(bad) in errors[0]
    rows = (root / "out" / "manifest.csv").read_text().splitlines()[1:]
    assert [row.split(",")[-1] for row in rows] == [names[0], names[2]]


def test_folders_that_cannot_be_right_are_refused(copies):
    root, _, _ = copies
    for args, reason in (
        ((), "no source is given: --voteview, --twfy, --london, --faker"),
        (
            ("--faker", root / "twfy"),
            "lacks 1 of 1 pictures, such as 'male/512/4.jpg'; expected git",
        ),
        (("--faker", root), "lie within each other"),
        (("--faker", root / "out"), "lie within each other"),
        (("--faker", root / "faker", "--manifest", root / "none.csv"), "cannot be read"),
    ):
        (root / "out").mkdir(exist_ok=True)
        code, _, errors = run(root, *args)
        assert code == 1 and len(errors) == 1 and reason in errors[0]
        assert not list((root / "out").iterdir())


HOSTILE = ["../x.jpg", "photos/../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "a\\..\\x.jpg", "", "."]


@pytest.mark.parametrize("column", ["path", "origin"])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_outside_the_folders_is_touched(copies, column, hostile):
    root, _, lines = copies
    write_manifest(root / "list.csv", [lines[0], {**lines[3], column: hostile}])
    before = sorted(root.rglob("*"))
    code, _, errors = run(root, sources=["faker"])
    assert code == 1 and sorted(root.rglob("*")) == before
    assert len(errors) == 1 and f"row 2: {column} " in errors[0]
    assert "is not a path below a folder" in errors[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (dict(source="fakir"), "no source 'fakir': did you mean 'faker'"),
        (dict(width="100000"), "100000 x 512 px are not within 8 to 512"),
        (dict(width="wide"), "invalid literal"),
        (dict(face_w="nan"), "face box is not finite"),
        (dict(grey="00" * 15), "grey has 15 bytes; expected 16"),
        (dict(grey="zz" * 16), "non-hexadecimal"),
    ],
)
def test_rows_that_are_wrong_are_named(copies, change, reason):
    root, _, lines = copies
    path = write_manifest(root / "list.csv", [*lines[:3], {**lines[3], **change}])
    with pytest.raises(DataError, match=f"row 4: .*{reason}") as caught:
        read_rows(path)
    assert "\n" not in str(caught.value)


def test_manifests_that_are_none(copies):
    root, _, lines = copies
    with pytest.raises(DataError, match="has a path twice"):
        read_rows(write_manifest(root / "list.csv", [lines[0]] * 2))
    write_manifest(root / "list.csv", [{k: v for k, v in lines[0].items() if k != "grey"}])
    with pytest.raises(DataError, match="has no column 'grey'"):
        read_rows(root / "list.csv")
    (root / "list.csv.gz").write_bytes(MANIFEST.read_bytes()[:5000])
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(root / "list.csv.gz")


def test_a_killed_run_leaves_whole_photos_and_goes_on(copies):
    root, _, lines = copies
    names = [f"male/512/{i}.jpg" for i in range(24)]
    for name in names:
        (root / "faker" / name).write_bytes((root / "faker" / ORIGINS["faker"]).read_bytes())
    large = picture(3).repeat(10, 0).repeat(10, 1)  # read for long, so that the kill is in time
    Image.fromarray(large).save(root / "faker" / names[-1])
    write_manifest(
        root / "list.csv", [{**lines[3], "path": f"photos/{n}", "origin": n} for n in names]
    )
    words = [root / "out", "--manifest", root / "list.csv", "--faker", root / "faker"]
    process = subprocess.Popen(
        [sys.executable, TOOL, *words, "--workers", "2"], cwd=ROOT, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    first = root / "out" / "photos" / names[0]
    until = time.monotonic() + 120
    while not first.is_file() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    there = list((root / "out").rglob("*.jpg"))
    assert 0 < len(there) < len(names) and not (root / "out" / "manifest.csv").exists()
    assert all(read_photo(path).shape == (512, 420, 3) for path in there)
    code, said, _ = run(root, sources=["faker"])
    assert said[-1].startswith(f"{24 - len(there)} cut, {len(there)} kept, 0 left out in ")
    assert code == 0 and len(ManifestPhotos(str(root / "out"))) == 24


def test_the_shipped_manifest():
    content = MANIFEST.read_bytes()
    assert len(content) < 450_000 and content[4:8] == bytes(4)  # no time: the same every time
    rows = read_rows()
    assert Counter(row.source for row in rows) == dict(
        voteview=4414, twfy=1362, london=204, faker=200
    )
    assert Counter(row.fields["licence"] for row in rows) == {
        "PD-presumed-bioguide": 3657, "PD-presumed-wikipedia": 682, "PD-presumed-manual": 75,
        "CC-BY-3.0-presumed": 1362, "CC-BY-4.0": 204, "CC0-1.0": 200,
    }  # fmt: skip
    assert Counter(row.fields["split"] for row in rows)["train"] == 5560
    header, first = manifest_text(rows).splitlines()[:2]
    assert gzip.decompress(content).decode().startswith(header + ",grey\n")
    assert first.startswith("photos/faker/female_000.jpg,faker,faker_female_000,train,,1,0,393,512")
