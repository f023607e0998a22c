"""Builds DFDNet's dictionary: features of face components, clustered at four scales.

The photos are those of a manifest (see docs/datasets.md), aligned by its landmarks. A photo is
sharp enough if the crop does not enlarge its face. Mirror images are included.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset

from l2rkit.cli.common import user_errors
from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.data.align import TEMPLATE, fit_similarity
from l2rkit.errors import DataError
from l2rkit.io.weights import write_weights
from l2rkit.restore.dfdnet.dictionary import standardised
from l2rkit.restore.dfdnet.features import PyramidFeatures, component_features

ROUNDS = 100  # largest number of k-means iterations; it stops earlier when the centres are fixed


def sharp_photos(data_root: str | None, split: str, size: int, enlarged: float) -> Subset:
    """The photos whose faces are enlarged at most `enlarged` times in crops of `size` px.

    Raises:
        DataError: the manifest has no landmarks, or no face is large enough.
    """
    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=size),
        dict(type=PackPhoto),
    ]
    photos = ManifestPhotos(data_root, split, pipeline=pipeline)
    if photos.landmarks is None:
        raise DataError(f"manifest '{photos.manifest}' has no landmarks to align photos by")
    points = photos.landmarks[photos.data_list].reshape(-1, 5, 2)
    scales = [enlargement(each, size) for each in points]
    sharp = [index for index, scale in enumerate(scales) if scale <= enlarged]
    if not sharp:
        raise DataError(
            f"no face of manifest '{photos.manifest}' fills {size} px enlarged {enlarged:g} times "
            f"or less; the largest is enlarged {min(scales):.2f} times"
        )
    # not `get_subset`: MMEngine's deepcopy memo is shared by all calls, and may return the copy of
    # a deleted data set that had the same address
    return Subset(photos, sharp)


def enlargement(landmarks: np.ndarray, size: int) -> float:
    """px of the crop per px of the photo, from landmarks (5, 2)."""
    matrix = fit_similarity(landmarks, TEMPLATE * size - 0.5)
    return float(np.hypot(*matrix[:, 0]))


@torch.no_grad()
def gather(photos: Iterable[Tensor]) -> dict[str, Tensor]:
    """{`<component>_<stride>`: features (N, C, n, n)} of photos (3, size, size) and mirror images.

    Each channel is standardised (ours). DFDNet gives an atom the mean and deviation of the features
    that it replaces, so clusters that differ only in these would be useless.
    """
    features, found = PyramidFeatures(), {}
    for photo in photos:
        pair = torch.stack([photo, photo.flip(-1)])
        for name, part in component_features(features, pair).items():
            found.setdefault(name, []).append(standardised(part))
    return {name: torch.cat(parts) for name, parts in found.items()}


def cluster(samples: Tensor, atoms: int, seed: int) -> Tensor:
    """(atoms, C, n, n): k-means centres of samples (N, C, n, n), by OpenCV.

    Raises:
        DataError: there are fewer samples than atoms.
    """
    if len(samples) < atoms:
        raise DataError(f"{len(samples)} sharp faces, mirrored ones too, do not make {atoms} atoms")
    cv2.setRNGSeed(seed)
    ends = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, ROUNDS, 0.0)
    points = np.float32(samples.flatten(1).numpy())
    _, _, found = cv2.kmeans(points, atoms, None, ends, 1, cv2.KMEANS_PP_CENTERS)
    return torch.from_numpy(found).view(atoms, *samples.shape[1:])


@click.command(help=__doc__)
@click.option("--data-root", help="The manifest's folder.  [default: OPENFACES_ROOT]")
@click.option("--split", default="train", show_default=True)
@click.option("--atoms", default=64, show_default=True, type=click.IntRange(1))
@click.option("--image-size", default=128, show_default=True, type=click.IntRange(128), help="px.")
@click.option(
    "--enlarged", default=1.0, show_default=True, help="Largest enlargement of a sharp face."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--out", default="work_dirs/dictionary.safetensors", show_default=True)
@user_errors
def main(
    data_root: str | None,
    split: str,
    atoms: int,
    image_size: int,
    enlarged: float,
    seed: int,
    out: str,
) -> None:
    photos = sharp_photos(data_root, split, image_size, enlarged)
    with click.progressbar(range(len(photos)), label="photos") as progress:
        samples = gather(photos[index]["photo"] for index in progress)
    found = {}
    with click.progressbar(samples.items(), label="atoms ") as progress:
        for name, parts in progress:
            found[name] = cluster(parts, atoms, seed)
    write_weights(found, Path(out), bits=16)
    click.echo(f"wrote {out}: {atoms} atoms each of {len(photos)} photos and their mirror images")


if __name__ == "__main__":
    main()
