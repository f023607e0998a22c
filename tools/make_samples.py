"""Makes the sample photos of l2rkit/zoo/samples from the portrait they start from."""

from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from l2rkit.data.align import FaceAligner
from l2rkit.data.heads.dataset import make_images
from l2rkit.data.photo import read_photo

SAMPLES = Path(__file__).parents[1] / "l2rkit" / "zoo" / "samples"
SMALL_FACE = 48  # px wide


def resized(photo: np.ndarray, scale: float) -> np.ndarray:
    """The photo shrunk by area averages."""
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def small(photo: np.ndarray) -> np.ndarray:
    """The photo shrunk until its largest face is `SMALL_FACE` wide."""
    face = FaceAligner().faces(photo, largest=True)[0]
    return resized(photo, SMALL_FACE / (face.box[2] - face.box[0]))


def blurred(photo: np.ndarray) -> np.ndarray:
    """Out of focus."""
    return cv2.GaussianBlur(photo, (0, 0), 3.0)


def old(photo: np.ndarray, seed: int = 0) -> np.ndarray:
    """Head and shoulders as an old print: grey, soft, with a faded range of tones and grain."""
    face = FaceAligner().faces(photo, largest=True)[0]
    x, y = face.landmarks.mean(0).astype(int)
    head = photo[max(0, y - 128) : y + 128, max(0, x - 128) : x + 128]
    grey = cv2.cvtColor(cv2.GaussianBlur(head, (0, 0), 1.2), cv2.COLOR_RGB2GRAY)
    faded = 0.30 + 0.50 * (grey / 255.0)
    grain = np.random.default_rng(seed).normal(0, 0.05, grey.shape)
    return np.round(np.clip(faded + grain, 0, 1) * 255).astype(np.uint8)


def head(size: int = 256) -> np.ndarray:
    """The first test image of the synthetic heads."""
    made = next(make_images([0], seed=0, split="test", size=size))
    return np.round(made["img"] * 255).astype(np.uint8)


@click.command(help=__doc__)
@click.argument("portrait", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", default=SAMPLES, type=click.Path(file_okay=False, path_type=Path))
def main(portrait: str, out: Path):
    out.mkdir(parents=True, exist_ok=True)
    photo = read_photo(portrait)
    copies = {
        "astronaut": (photo, 85),
        "astronaut_small": (small(photo), 30),
        "astronaut_blurred": (blurred(photo), 60),
        "astronaut_old": (old(photo), 80),
        "head": (head(), 85),
    }
    for name, (copy, quality) in copies.items():
        Image.fromarray(copy).save(out / f"{name}.jpg", quality=quality)
        click.echo(f"{name}.jpg  {copy.shape[1]} x {copy.shape[0]} px")


if __name__ == "__main__":
    main()
