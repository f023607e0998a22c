"""Draws the picture at the top of README: a column for each sample portrait.

From the top: the clean photo; the degraded photo, the method's only input; the predicted face at
yaws -30, 0 and 30 degrees.
"""

from pathlib import Path

import click
import numpy as np
from PIL import Image

from l2rkit import reconstruct
from l2rkit.cli.common import user_errors
from l2rkit.data.crops import warp
from l2rkit.data.photo import read_photo
from l2rkit.zoo import DEFAULT_CONFIG, FOLDER

YAWS_DEG = (-30.0, 0.0, 30.0)
SAMPLES = 8


@click.command(help=__doc__)
@click.option(
    "--out", default="docs/people.jpg", show_default=True, type=click.Path(dir_okay=False)
)
@click.option("--config", default=DEFAULT_CONFIG, show_default=True, type=click.Path())
@click.option("--weights", type=click.Path(), help="Trained weights.  [default: the shipped ones]")
@click.option("--tile", default=144, show_default=True, help="Pixels of each picture.")
@user_errors
def main(out: str, config: str, weights: str | None, tile: int) -> None:
    samples = FOLDER / "samples"
    bad = [samples / f"portrait_{number + 1}_severe.jpg" for number in range(SAMPLES)]
    columns = []
    for path, face in zip(bad, reconstruct(bad, config, weights)):
        good = good_crop(path, face.crop, len(face.arrays()["image"]))
        seen = np.asarray(face.arrays()["image"] * 255).round().astype(np.uint8)
        turned = [face.render(yaw, size=tile) for yaw in YAWS_DEG]
        tiles = [Image.fromarray(picture) for picture in (good, seen)]
        tiles = [picture.resize((tile, tile), Image.Resampling.BICUBIC) for picture in tiles]
        columns.append(np.vstack([np.asarray(picture) for picture in (*tiles, *turned)]))
    Image.fromarray(np.hstack(columns)).save(out, quality=88)
    click.echo(f"{out}: {len(columns)} people, {Path(out).stat().st_size} bytes")


def good_crop(bad: Path, matrix: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8: the clean photo in the crop of the degraded one, of another size."""
    good = read_photo(bad.with_name(bad.name.replace("_severe", "")))
    factor = read_photo(bad).shape[1] / good.shape[1]
    edges = np.array([[factor, 0, factor / 2 - 0.5], [0, factor, factor / 2 - 0.5], [0, 0, 1]])
    return warp(good, matrix @ edges, size)


if __name__ == "__main__":
    main()
