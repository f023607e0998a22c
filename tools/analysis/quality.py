"""How often each flag of `l2rkit.data.quality` is raised, on photos as they are and spoiled.

On the `val` people of a manifest (docs/datasets.md), evenly spaced, which set the limits. Photos go
the way of `l2rkit reconstruct`. They are taken as they are, made bad, painted on by
`l2rkit.landmarks.painted`, cut through the face, and made small. Prints the share of photos with
each flag, and of those in which no face was found, in percent.
"""

import sys
from collections.abc import Callable

import click
import cv2
import numpy as np

from l2rkit.cli.common import quiet, user_errors

KEPT = 0.6  # of the face's box, in a photo that is cut
SMALL = 10.0  # px, a face's width in a photo that is made small


@click.command(help=__doc__)
@click.option("--photos", type=click.IntRange(1), help="So many.  [default: all]")
@click.option("--only", multiple=True, help="A change, such as plain or mask. May be repeated.")
@user_errors
def main(photos: int | None, only: tuple[str, ...]) -> None:
    quiet()
    cv2.setNumThreads(1)
    from l2rkit.data import LoadPhoto, ManifestPhotos
    from l2rkit.data.align import FaceAligner
    from l2rkit.data.quality import FLAGS

    chosen = ManifestPhotos(split="val", pipeline=[dict(type=LoadPhoto)], indices=photos)
    aligner, table = FaceAligner(128), changes()
    names = [name for name in table if name in (only or table)]
    click.echo(f"{len(chosen)} photos\n\n| photos | {' | '.join(FLAGS)} | any | no face |")
    click.echo("|---" * (len(FLAGS) + 3) + "|")
    for name in names:
        with click.progressbar(range(len(chosen)), label=name, file=sys.stderr) as bar:
            raised = [flags(aligner, chosen[n]["img"], table[name], n) for n in bar]
        seen = [each for each in raised if each is not None]
        shares = [np.mean([flag in each for each in seen]) for flag in FLAGS]
        shares += [np.mean([bool(each) for each in seen]), 1 - len(seen) / len(raised)]
        click.echo(f"| {name} | {' | '.join(f'{100 * share:.1f}' for share in shares)} |")


Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def changes() -> dict[str, Change]:
    """What is done to photos (H, W, 3) uint8 with landmarks (468, 3) px, by name."""
    from l2rkit.degrade import DegradationLevel
    from l2rkit.degrade.degradation import rng_of
    from l2rkit.landmarks.painted import PAINTERS

    def degraded(level: str) -> Change:
        change = DegradationLevel(level)
        return lambda photo, points, rng: np.rint(
            change.on_image(np.float32(photo) / 255, rng_of(int(rng.integers(10**6)))) * 255
        ).astype(np.uint8)

    levels = {level: degraded(level) for level in ("mild", "severe")}
    spoiled = dict(cut=cut, small=small)
    return {"plain": lambda photo, points, rng: photo, **levels, **PAINTERS, **spoiled}


def cut(photo: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Without a part of the face, at one side or below."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    right, below = np.rint(low + KEPT * (high - low)).astype(int)
    left = int(np.rint(high[0] - KEPT * (high - low)[0]))
    sides = (np.s_[:, :right], np.s_[:, left:], np.s_[:below])
    return np.ascontiguousarray(photo[sides[rng.integers(len(sides))]])


def small(photo: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With a face `SMALL` px wide, in a photo of its size, on grey."""
    scale = SMALL / float(np.ptp(points[:, 0]))
    width, height = (max(8, round(side * scale)) for side in photo.shape[1::-1])
    canvas = np.full_like(photo, 128)
    canvas[:height, :width] = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


def flags(aligner, photo: np.ndarray, change: Change, number: int) -> tuple[str, ...] | None:
    """The flags of a photo that was changed; None if no face was found in it."""
    from l2rkit.data.align import NoFaceError
    from l2rkit.data.quality import quality

    points = landmarks_of(photo, aligner.crop(photo)[1], aligner.size)
    photo = change(photo, points, np.random.default_rng(number))
    try:
        face = aligner.faces(photo, largest=True)[0]
    except NoFaceError:
        return None
    return quality(photo, aligner.matrix(face), aligner.size, face.score).flags


def landmarks_of(photo: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """(468, 3): FaceMesh's, in px of the photo, by the matrix (2, 3) of its aligned crop."""
    from l2rkit.data.crops import warp
    from l2rkit.landmarks import FaceMesh

    points = FaceMesh(rounds=2, mirrored=False)([warp(photo, matrix, size)])[0]
    back = cv2.invertAffineTransform(np.float64(matrix))
    points[:, :2] = points[:, :2] @ back[:, :2].T + back[:, 2]
    return points


if __name__ == "__main__":
    main()
