"""Measures how stable crops are under changes of the photo, for both ways of aligning.

On held-out photos of a manifest (docs/datasets.md), evenly spaced over `val` and `test`. The crop
of a changed photo is compared with that of the photo, and the latter with the crop by the
manifest's landmarks: roll, scale, and shift of the crop's middle in percent of its side. Each photo
is rotated by four multiples of 15 degrees.
"""

import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import click
import cv2
import numpy as np

from l2rkit.cli.common import quiet, user_errors

SIZE = 128  # px of the crops
TURNS_DEG = range(15, 360, 15)
TURNS = 4  # rotations per photo
MIDDLE = (SIZE - 1) / 2
MIRROR = np.array([[-1.0, 0, SIZE - 1], [0, 1, 0], [0, 0, 1]])
GREY = (128, 128, 128)
LOST = 25.0  # percent of the crop's side or scale; a larger error means that the face is lost


@click.command(help=__doc__)
@click.option("--photos", default=100, show_default=True, type=click.IntRange(1))
@user_errors
def main(photos: int) -> None:
    quiet()
    cv2.setNumThreads(1)
    from l2rkit.data import FaceAligner
    from l2rkit.data.closer import closer_by_detector, closer_upright

    samples = held_out(photos)
    click.echo("| photo | looked at | lean, ° | scale, % | shift, % | lost, % | ms |")
    click.echo("|---|---|---|---|---|---|---|")
    for name, closer in (("as found", closer_by_detector), ("upright", closer_upright)):
        rows = measured(FaceAligner(SIZE, closer=closer), samples)
        for changed, (errors, spent) in sorted(rows.items(), key=lambda row: order(row[0])):
            click.echo(f"| {changed} | {name} | {cells(errors)} | {1000 * spent:.0f} |")


def order(changed: str) -> float:
    """The sort key of rows: changes without rotation first, then by the rotation."""
    return float(changed.split()[2]) if changed.startswith("turned") else 0


def held_out(count: int) -> list[dict]:
    """Samples with `img`, `landmarks`, `name` of the manifest's val and test."""
    from l2rkit.data import LoadPhoto, ManifestPhotos

    pipeline = [dict(type=LoadPhoto)]
    sets = [ManifestPhotos(split=split, pipeline=pipeline) for split in ("val", "test")]
    rows = [(photos, row) for photos in sets for row in range(len(photos))]
    chosen = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return [photos[row] for photos, row in (rows[at] for at in chosen)]


def measured(aligner, samples: list[dict]) -> dict[str, tuple[np.ndarray, float]]:
    """{change: (errors (N, 3) in degrees, percent, percent; mean seconds per photo)}."""
    from l2rkit.data.align import TEMPLATE, NoFaceError, fit_similarity

    errors, spent = defaultdict(list), defaultdict(list)
    with click.progressbar(samples, label="photos", file=sys.stderr) as bar:
        for number, sample in enumerate(bar):
            known = fit_similarity(sample["landmarks"], TEMPLATE * SIZE - 0.5)
            own = None
            for name, photo, moved, mirrored in changes(sample["img"], number):
                begun = time.perf_counter()
                try:
                    matrix = aligner.crop(photo)[1]
                except NoFaceError:
                    errors[name].append([np.inf] * 3)
                    if own is None:
                        break
                    continue
                finally:
                    spent[name].append(time.perf_counter() - begun)
                back = whole(matrix) @ whole(moved)
                back = MIRROR @ back if mirrored else back
                true = whole(known) if own is None else own
                own = back if own is None else own
                errors[name].append(differences(back @ np.linalg.inv(true)))
    return {name: (np.array(found), np.mean(spent[name])) for name, found in errors.items()}


def changes(photo: np.ndarray, number: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, bool]]:
    """For each change: its name, the photo, the matrix (2, 3) from old px to new, is it mirrored.

    number: that of the photo, which determines its rotations.
    """
    from l2rkit.degrade import DegradationLevel, GaussianBlur, Jpeg
    from l2rkit.degrade.degradation import rng_of

    same = np.eye(2, 3)
    yield "as in the manifest", photo, same, False
    width = photo.shape[1]
    mirror = np.array([[-1.0, 0, width - 1], [0, 1, 0]])
    yield "mirrored", np.ascontiguousarray(photo[:, ::-1]), mirror, True
    blur = GaussianBlur(sigma=8, for_height=512)
    for name, change in (("blurred", blur), ("JPEG 20", Jpeg(quality=20)), *(
        (level, DegradationLevel(level)) for level in ("mild", "severe")
    )):  # fmt: skip
        bad = change.on_image(np.float32(photo) / 255, rng_of(0))
        yield name, np.rint(bad * 255).astype(np.uint8), same, False
    for angle in (TURNS_DEG[(TURNS * number + 6 * k) % len(TURNS_DEG)] for k in range(TURNS)):
        turned, matrix = turn(photo, angle)
        most = 45 * math.ceil(min(angle, 360 - angle) / 45)
        yield f"turned by {most - 30} to {most}°", turned, matrix, False


def turn(photo: np.ndarray, angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The whole photo, rotated clockwise on grey, and the matrix (2, 3) to its px."""
    angle, middle = np.deg2rad(angle_deg), (np.array(photo.shape[1::-1]) - 1) / 2
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    size = np.ceil(abs(matrix) @ photo.shape[1::-1] - 1e-6).astype(int)
    matrix = np.column_stack([matrix, (size - 1) / 2 - matrix @ middle])
    turned = cv2.warpAffine(photo, matrix, size.tolist(), flags=cv2.INTER_CUBIC, borderValue=GREY)
    return turned, matrix


def whole(matrix: np.ndarray) -> np.ndarray:
    """(3, 3): the homogeneous matrix of a (2, 3) one."""
    return np.vstack([matrix, [0, 0, 1]])


def differences(matrix: np.ndarray) -> list[float]:
    """Roll in degrees, scale and shift in percent, of a similarity (3, 3) between crop px."""
    lean = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
    scale = 100 * np.log(np.hypot(matrix[0, 0], matrix[1, 0]))
    shift = matrix[:2] @ [MIDDLE, MIDDLE, 1] - MIDDLE
    return [abs(lean), abs(scale), 100 * float(np.hypot(*shift)) / SIZE]


def cells(errors: np.ndarray) -> str:
    """Table cells: median and 95th percentile of each error, and the percentage of lost faces."""
    lost = ((errors[:, 0] > 45) | (errors[:, 1:] > LOST).any(1)).mean()
    middle, most = np.percentile(errors, [50, 95], axis=0, method="lower")
    pairs = [f"{a:.1f}, {b:.1f}" for a, b in zip(middle, most)]
    return " | ".join([*pairs, f"{100 * lost:.1f}"])


if __name__ == "__main__":
    main()
