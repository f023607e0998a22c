"""Draws the effect of a method's `fidelity`: a row for each degraded sample portrait.

From the left: the degraded photo; the frontal face with fidelity 0, 0.25, 0.5, 0.75 and 1; the
clean photo.
"""

import click
import numpy as np
from PIL import Image

from l2rkit import reconstruct
from l2rkit.cli.common import user_errors
from l2rkit.data.crops import same_crop
from l2rkit.data.photo import read_photo
from l2rkit.zoo import DEFAULT_CONFIG, FOLDER

SETTINGS = (0.0, 0.25, 0.5, 0.75, 1.0)
PEOPLE = (1, 3, 4, 6)


@click.command(help=__doc__)
@click.option("--out", default="docs/fidelity.jpg", show_default=True, type=click.Path())
@click.option("--config", default=DEFAULT_CONFIG, show_default=True, type=click.Path())
@click.option("--tile", default=144, show_default=True, help="Pixels of each picture.")
@user_errors
def main(out: str, config: str, tile: int) -> None:
    rows, samples = [], [FOLDER / "samples" / f"portrait_{number}_severe.jpg" for number in PEOPLE]
    settings = [reconstruct(samples, config, fidelity=setting) for setting in SETTINGS]
    for bad, *faces in zip(samples, *settings):
        seen = (faces[0].arrays()["image"] * 255).round().astype(np.uint8)
        clean = bad.with_name(bad.name.replace("_severe", ""))
        good = same_crop(read_photo(clean), read_photo(bad), faces[0].crop, len(seen))
        first, last = (
            np.asarray(Image.fromarray(p).resize((tile, tile), Image.Resampling.BICUBIC))
            for p in (seen, good)
        )
        rows.append(np.hstack([first, *(np.asarray(f.render(size=tile)) for f in faces), last]))
    Image.fromarray(np.vstack(rows)).save(out, quality=88)
    click.echo(f"{out}: {len(rows)} people")


if __name__ == "__main__":
    main()
