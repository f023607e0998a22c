"""The shipped sample photos are those of `tools/builders/make_samples.py`."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from portraits import LANDMARKS, NUMBERS, landmarks, portrait

from l2rkit.data.align import TEMPLATE, fit_similarity, warp
from l2rkit.data.manifest import LANDMARKS as COLUMNS
from l2rkit.data.photo import read_photo
from l2rkit.data.transforms import Degrade
from l2rkit.zoo import FOLDER
from tools.builders.make_samples import PORTRAITS, main

SHIPPED = sorted(path.name for path in (FOLDER / "samples").glob("*.jpg"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder like openfaces' that has the eight portraits alone."""
    with open(tmp_path / "manifest.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "split", *COLUMNS])
        for number, path, points in zip(NUMBERS, PORTRAITS, LANDMARKS, strict=True):
            table.writerow([path, "test", *points.ravel()])
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(shipped(f"portrait_{number}.jpg"))
    return tmp_path


def shipped(name: str) -> bytes:
    return (FOLDER / "samples" / name).read_bytes()


def aligned(photo: np.ndarray, points: np.ndarray, size: int = 128) -> np.ndarray:
    """The face crop by known landmarks."""
    return warp(photo, fit_similarity(points, TEMPLATE * size - 0.5), size)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return -10 * np.log10(np.mean((one / 255 - other / 255) ** 2))


def test_the_tool_makes_them_anew_equal_calls_equal_files(root: Path) -> None:
    for folder in ("one", "other"):
        done = CliRunner().invoke(main, [str(root), "--out", str(root / folder)])
        assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (root / "one").iterdir()) == SHIPPED
    for name in SHIPPED:
        assert (root / "one" / name).read_bytes() == (root / "other" / name).read_bytes()
        made, there = (read_photo(folder / name) for folder in (root / "one", FOLDER / "samples"))
        assert made.shape == there.shape
        # rounding differs between releases of OpenCV and libjpeg
        assert abs(made.astype(int) - there).mean() < 1, name
    for number in NUMBERS:  # not compressed a second time
        assert (root / "one" / f"portrait_{number}.jpg").read_bytes() == shipped(
            f"portrait_{number}.jpg"
        )


def test_a_severe_copy_is_what_the_benchmark_makes_of_the_crop() -> None:
    lost = []
    for number in NUMBERS:
        clean, bad = portrait(number), portrait(number, "_severe")
        crop = aligned(clean, landmarks(number))
        step = Degrade(dict(type="DegradationLevel", name="severe"), seed=0)
        expected = step.transform(dict(img=crop, sample_idx=number))["img"]
        points = landmarks(number, bad)
        # without a change of size: one pixel of the copy is one of the crop
        scale = np.hypot(*fit_similarity(points, TEMPLATE * 128 - 0.5)[:, 0])
        assert scale == pytest.approx(1, abs=0.005)
        lost.append(psnr(aligned(bad, points), crop) - psnr(expected, crop))
    # blurred as a photo of its own height, it would lose 2 dB more; not blurred, 0.7 dB less
    assert np.abs(lost).max() < 0.4 and abs(np.mean(lost)) < 0.15


def test_samples_are_small_and_without_metadata() -> None:
    assert sum(len(shipped(name)) for name in SHIPPED) < 700_000
    assert all(b"Exif" not in shipped(name) and b"http" not in shipped(name) for name in SHIPPED)


def test_a_portrait_of_another_split_is_one_line(root: Path) -> None:
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(f"{PORTRAITS[2]},test", f"{PORTRAITS[2]},val"))
    done = CliRunner().invoke(main, [str(root), "--out", str(root / "out")])
    assert done.exit_code == 2 and f"no '{PORTRAITS[2]}' in split test" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (root / "out").exists()
