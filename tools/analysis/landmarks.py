"""Measures how well two quality scores predict the error of FaceMesh's landmarks on bad photos.

Crops of the held-out photos of a manifest (docs/datasets.md), clean and degraded. The error is the
root mean square 2D distance between the landmarks of both, in distances of the eyes. Prints the
error, its rank correlation with `disagreement` and with `FaceMesh.presence`, and the share of the
worst 5 % that thresholds of either detect.
"""

import sys

import click
import cv2
import numpy as np

from l2rkit.cli.common import quiet, user_errors

SIZE = 128  # px of the crops
WORST = 0.05  # share of the photos that should be detected


@click.command(help=__doc__)
@click.option("--level", default="severe", show_default=True)
@click.option("--photos", type=click.IntRange(20), help="Photos of each split.  [default: all]")
@user_errors
def main(level: str, photos: int | None) -> None:
    quiet()
    cv2.setNumThreads(1)
    error, signs = measured(level, photos)
    median, many, worst = np.quantile(error, [0.5, 0.95, 1])
    click.echo(f"{len(error)} photos, {level}: median {median:.3f} 95 % {many:.3f} {worst:.3f}\n")
    click.echo("| sign | rank correlation | threshold | photos beyond, % | worst 5 % caught, % |")
    click.echo("|---|---|---|---|---|")
    for name, sign in signs.items():
        for share in (0.05, 0.1, 0.2):
            threshold = np.quantile(sign, 1 - share)
            caught = (sign[error >= np.quantile(error, 1 - WORST)] >= threshold).mean()
            shown = -threshold if name == "presence" else threshold
            cells = f"{rank_correlation(sign, error):.2f} | {shown:.2f} | {100 * share:.0f}"
            click.echo(f"| {name} | {cells} | {100 * caught:.0f} |")


def measured(level: str, photos: int | None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The error (N,) of each photo, and the scores (N,) by name, larger for worse photos."""
    from l2rkit.data import CropByLandmarks, Degrade, LoadPhoto, ManifestPhotos
    from l2rkit.degrade import DegradationLevel
    from l2rkit.landmarks.face_mesh import FaceMesh, disagreement

    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=SIZE),
        dict(type=Degrade, degradation=dict(type=DegradationLevel, name=level), seed=0),
    ]
    mesh, found = FaceMesh(), []
    for split in ("val", "test"):
        chosen = ManifestPhotos(split=split, pipeline=pipeline, indices=photos)
        with click.progressbar(chosen, label=split, file=sys.stderr) as bar:
            for sample in bar:
                true, _ = mesh.checked([sample["clean"]])
                bad, doubt = mesh.checked([sample["img"]])
                absence = -mesh.presence([sample["img"]], bad)
                found.append([disagreement(bad, true)[0], doubt[0], absence[0]])
    error, doubt, absence = np.transpose(found)
    return error, dict(disagreement=doubt, presence=absence)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of a (N,) and b (N,), values without ties."""
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


if __name__ == "__main__":
    main()
