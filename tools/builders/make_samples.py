"""Makes the sample photos of l2rkit/zoo/samples: eight portraits, degraded copies, and a head.

ROOT is the folder of openfaces. The portraits are unchanged files of its test split.
"""

import shutil
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from l2rkit.cli.common import user_errors
from l2rkit.data.align import TEMPLATE, fit_similarity
from l2rkit.data.heads.dataset import make_images
from l2rkit.data.manifest import read_manifest
from l2rkit.data.photo import read_photo
from l2rkit.degrade import DegradationLevel
from l2rkit.degrade.degradation import rng_of
from l2rkit.errors import DataError

SAMPLES = Path(__file__).parents[2] / "l2rkit" / "zoo" / "samples"
PORTRAITS = (  # paths in the manifest; the first is portrait_1
    "photos/faker/female_065.jpg",
    "photos/faker/male_095.jpg",
    "photos/faker/female_060.jpg",
    "photos/faker/male_013.jpg",
    "photos/faker/male_005.jpg",
    "photos/faker/male_029.jpg",
    "photos/faker/male_086.jpg",
    "photos/faker/male_041.jpg",
)
SPLIT = "test"
CROP = 128  # px, the side of the face crops that the severe benchmark degrades
QUALITY = 95  # of the written JPEGs, high against the level's own JPEG


def shrunk(photo: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The photo (H, W, 3) uint8, downsampled until the aligner's face crop is `CROP` px wide."""
    matrix = fit_similarity(landmarks, TEMPLATE * CROP - 0.5)
    scale = np.hypot(*matrix[:, 0])
    size = np.rint(np.array(photo.shape[1::-1]) * scale).astype(int)
    return cv2.resize(photo, size.tolist(), interpolation=cv2.INTER_AREA)


def severe(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8: the photo, degraded as `DegradationLevel("severe")` degrades a crop.

    The level's blur scales with the picture's height; here with that of the crop, `CROP` px.
    """
    blur, small = DegradationLevel("severe").parts
    image = blur.degrade_image(np.float32(photo) / 255, blur.draw(rng, CROP, CROP))
    return np.rint(small.on_image(image, rng) * 255).astype(np.uint8)


def head(size: int = 256) -> np.ndarray:
    """The first test image of the synthetic heads."""
    made = next(make_images([0], seed=0, split="test", size=size))
    return np.round(made["img"] * 255).astype(np.uint8)


def landmarks_of(root: Path) -> list[np.ndarray]:
    """(5, 2) px for each of `PORTRAITS`, from the manifest.

    Raises:
        DataError: the manifest lacks a portrait.
    """
    required = dict(split="split", lx="lx")  # named columns are required
    table = read_manifest(root / "manifest.csv", required)
    row = {path: number for number, path in enumerate(table["path"])}
    for path in PORTRAITS:
        if path not in row or table["split"][row[path]] != SPLIT:
            raise DataError(f"manifest '{root / 'manifest.csv'}' has no '{path}' in split {SPLIT}")
    return [np.float64(table["landmarks"][row[path]]).reshape(5, 2) for path in PORTRAITS]


@click.command(help=__doc__)
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=SAMPLES, type=click.Path(file_okay=False, path_type=Path))
@user_errors
def main(root: Path, out: Path) -> None:
    found = landmarks_of(root)
    out.mkdir(parents=True, exist_ok=True)
    made = dict(head=(head(), 85))
    for number, (path, landmarks) in enumerate(zip(PORTRAITS, found), 1):
        photo = read_photo(root / path)
        shutil.copyfile(root / path, out / f"portrait_{number}.jpg")
        bad = severe(shrunk(photo, landmarks), rng_of([0, number]))
        made[f"portrait_{number}_severe"] = bad, QUALITY
    for name, (picture, quality) in made.items():
        Image.fromarray(picture).save(out / f"{name}.jpg", quality=quality)
    for file in sorted(out.glob("*.jpg")):
        width, height = Image.open(file).size
        click.echo(f"{file.name}  {width} x {height} px, {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
