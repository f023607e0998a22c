"""Counts the faces that --all-faces finds in crowds, and in portraits of one person.

OPENFACES_ROOT=... python tools/reliability/crowds.py --out crowds

The crowds are portraits of the training split, pasted on a smooth background; they are written to
the folder. The portraits are of the test split, spread evenly. docs/reliability.md has the results.
"""

import csv
import sys
import time
from collections import Counter
from pathlib import Path

import click
import cv2
import numpy as np

from l2rkit.cli.common import user_errors
from l2rkit.data import ManifestPhotos
from l2rkit.data.align import FaceAligner, NoFaceError
from l2rkit.data.photo import read_photo

AROUND = 1.8  # side of a pasted square / side of the face
GRID = [(60 + 390 * (i % 10), 60 + 480 * (i // 10)) for i in range(60)]
SMALL = [(2000 + x, y) for x, y in GRID[:40]]
ROW = [(300 + 1950 * i, 500 + 900 * (i % 3)) for i in range(10)]
CROWDS = {  # name: width, height, and (x, y, side of the face) of each person, in px
    "sixty": (4000, 3000, [(*place, 90) for place in GRID]),
    "large_small": (6000, 2000, [(50, 50, 1000), *((*place, 90) for place in SMALL)]),
    "ten260": (20000, 4000, [(*place, 260) for place in ROW]),
    "ten400": (20000, 4000, [(*place, 400) for place in ROW]),
}


def square(root: Path, row: dict[str, str]) -> np.ndarray:
    """(N, N, 3): the square around the face of a manifest's row; edges are repeated."""
    left, top, width, height = (float(row[f"face_{key}"]) for key in "xywh")
    half = int(max(width, height) * AROUND / 2)
    photo = np.pad(read_photo(root / row["path"]), ((half, half), (half, half), (0, 0)), "edge")
    x, y = int(left + width / 2), int(top + height / 2)
    return photo[y : y + 2 * half, x : x + 2 * half]


def crowd(width: int, height: int, places: list, people: list[np.ndarray]) -> np.ndarray:
    """(height, width, 3) uint8: the people at their places."""
    coarse = np.random.default_rng(0).integers(90, 200, (height // 100, width // 100, 3), np.uint8)
    photo = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for person, (x, y, face) in zip(people, places):
        side = round(face * AROUND)
        method = cv2.INTER_AREA if len(person) > side else cv2.INTER_CUBIC
        photo[y : y + side, x : x + side] = cv2.resize(person, (side, side), interpolation=method)
    return photo


def count(aligner: FaceAligner, photo: np.ndarray) -> int:
    try:
        return len(aligner.faces(photo))
    except NoFaceError:
        return 0


@click.command(help=__doc__)
@click.option("--out", default="crowds", show_default=True, type=click.Path(path_type=Path))
@click.option("--portraits", default=100, show_default=True)
@user_errors
def main(out: Path, portraits: int) -> None:
    tested = ManifestPhotos(split="test")
    root = Path(tested.data_root)
    with tested.manifest.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    clear = [
        row
        for row in rows[::11]
        if row["split"] == "train"
        and abs(float(row["yaw_deg"])) <= 30
        and float(row["score"]) >= 0.8
    ]
    people = [square(root, row) for row in clear[:60]]
    aligner = FaceAligner(64, closer=lambda photo, face: face)  # the detector alone
    out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name, (width, height, places) in CROWDS.items():
        file = out / f"{name}.jpg"
        cv2.imwrite(str(file), crowd(width, height, places, people)[..., ::-1])
        began = time.process_time()
        found, seconds = count(aligner, read_photo(file)), time.process_time() - began
        wrong += found != len(places)
        click.echo(f"{name}: {found} of {len(places)} faces, {seconds:.1f} CPU s")
    chosen = range(len(tested))[:: max(1, len(tested) // portraits)][:portraits]
    shown = (read_photo(tested.get_data_info(index)["img_path"]) for index in chosen)
    found = Counter(count(aligner, photo) for photo in shown)
    words = ", ".join(f"{faces} in {photos}" for faces, photos in sorted(found.items()))
    click.echo(f"{len(chosen)} portraits of one person: faces {words}")
    sys.exit(wrong > 0 or set(found) != {1})


if __name__ == "__main__":
    main()
