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
from l2rkit.data.crops import same_crop
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
    clean = [samples / f"portrait_{number + 1}.jpg" for number in range(SAMPLES)]
    columns = []
    for path, own, face in zip(bad, clean, reconstruct(bad, config, weights)):
        side = len(face.arrays()["image"])
        good = same_crop(read_photo(own), read_photo(path), face.crop, side)
        seen = np.asarray(face.arrays()["image"] * 255).round().astype(np.uint8)
        turned = [face.render(yaw, size=tile) for yaw in YAWS_DEG]
        tiles = [Image.fromarray(picture) for picture in (good, seen)]
        tiles = [picture.resize((tile, tile), Image.Resampling.BICUBIC) for picture in tiles]
        columns.append(np.vstack([np.asarray(picture) for picture in (*tiles, *turned)]))
    Image.fromarray(np.hstack(columns)).save(out, quality=88)
    click.echo(f"{out}: {len(columns)} people, {Path(out).stat().st_size} bytes")


if __name__ == "__main__":
    main()
