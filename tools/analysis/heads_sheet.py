"""Draws a sheet of synthetic heads of version 2, one photo of each person.

python tools/analysis/heads_sheet.py heads.png --size 64 --count 64
python tools/analysis/heads_sheet.py docs/heads2.jpg --size 128 --count 16 --columns 8 --normals
"""

from pathlib import Path

import click
import cv2
import numpy as np

from l2rkit.data.heads.dataset import SPLITS
from l2rkit.data.heads.detailed import detailed_images


def tile(sample: dict, normals: bool) -> np.ndarray:
    """(S, S, 3) in [0, 1]: the photo; or (2 S, S, 3): with its normals as colours below."""
    if not normals:
        return sample["img"]
    shown = (sample["normal"] * [1, -1, -1] + 1) / 2
    return np.vstack([sample["img"], shown])


@click.command(help=__doc__)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--size", default=64, show_default=True, type=click.IntRange(16, 512))
@click.option("--count", default=64, show_default=True, type=click.IntRange(1))
@click.option("--columns", default=8, show_default=True, type=click.IntRange(1))
@click.option("--split", default="train", show_default=True, type=click.Choice(list(SPLITS)))
@click.option("--seed", default=0, show_default=True)
@click.option("--normals", is_flag=True, help="Add the true normals below each photo.")
@click.option("--quality", default=80, show_default=True, help="JPEG quality.")
def main(
    out: Path, size: int, count: int, columns: int, split: str, seed: int, normals: bool,
    quality: int,
) -> None:  # fmt: skip
    tiles = [tile(s, normals) for s in detailed_images(range(count), seed, split, size, 1)]
    tiles += [np.ones_like(tiles[0])] * (-count % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    sheet = np.rint(np.vstack(rows)[..., ::-1] * 255).astype(np.uint8)
    jpeg = out.suffix.lower() in (".jpg", ".jpeg")
    cv2.imwrite(str(out), sheet, [cv2.IMWRITE_JPEG_QUALITY, quality] if jpeg else [])
    click.echo(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
