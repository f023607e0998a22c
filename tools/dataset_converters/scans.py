"""Renders textured head scans of ROOT, OBJ, PLY or glTF meshes, as photos with true depth in OUT.

\b
    OUT/SPLIT/image/NAME_image_+45.png      the head at a yaw of 45 degrees
    OUT/SPLIT/depth/NAME_depth_+45.png      white is near: 1.1 - 0.2 * value / 255 (DepthPairs)
    OUT/SPLIT/depth/NAME_depth_+45.npz      depth (float32) and view (TexturedScans)
    OUT/SHA256SUMS

A mesh must have y up and z out of the face. Its size and place are determined by its face. A mesh
without a detected face is reported in one line, and the exit status is then 1. Files in OUT are
kept.
"""

import io
import os
import sys
from pathlib import Path

import click
import numpy as np
from PIL import Image

from l2rkit.data.checksums import write_checksums
from l2rkit.data.pairs import SYNFACE_FAR, SYNFACE_NEAR
from l2rkit.data.scans import MESHES, place_scan, read_scan, render_scan, yaw_views
from l2rkit.errors import UserError
from l2rkit.io.files import png, write_atomic


def targets(folder: Path, below: Path, yaw: float) -> tuple[Path, Path, Path]:
    """The paths of the photo, the 8-bit depth and the exact depth of a scan in one view."""
    photo = f"{below.stem}_image_{yaw:+03.0f}.png"
    depth = folder / "depth" / below.parent / photo.replace("image", "depth")
    return folder / "image" / below.parent / photo, depth, depth.with_suffix(".npz")


def convert(path: Path, below: Path, folder: Path, yaws: tuple[float, ...], size: int) -> str:
    """Writes the missing files of one scan: 'kept', 'drawn', or the reason of a failure."""
    missing = [yaw for yaw in yaws if not all(t.is_file() for t in targets(folder, below, yaw))]
    if not missing:
        return "kept"
    try:
        scan = place_scan(read_scan(path), str(path))
    except UserError as error:
        return str(error)
    for yaw, view in zip(missing, yaw_views(missing)):
        image, depth = render_scan(scan, view, size)
        near = np.rint(
            (SYNFACE_FAR - depth.clip(SYNFACE_NEAR, SYNFACE_FAR))
            / (SYNFACE_FAR - SYNFACE_NEAR)
            * 255
        ).astype(np.uint8)
        exact = io.BytesIO()
        np.savez_compressed(exact, depth=depth, view=view)
        contents = (*(png(Image.fromarray(p)) for p in (image, near)), exact.getvalue())
        for target, content in zip(targets(folder, below, yaw), contents):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, content)
    return "drawn"


@click.command(help=__doc__)
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--split", default="test", show_default=True, help="The folder below OUT.")
@click.option(
    "--size", default=128, show_default=True, type=click.IntRange(8), help="Side of a photo in px."
)
@click.option(
    "--yaw", "yaws", type=click.FloatRange(-180, 180), multiple=True, default=(-45, 0, 45),
    show_default=True,
    help="Yaw in degrees; repeatable.",
)  # fmt: skip
def main(root: Path, out: Path, split: str, size: int, yaws: tuple[float, ...]):
    paths = [Path(at, name) for at, _, names in os.walk(root) for name in names]
    paths = sorted(path for path in paths if path.suffix.lower() in MESHES)
    if not paths:
        raise click.ClickException(f"'{root}' holds no scans ({' '.join(sorted(MESHES))})")
    places = [path.relative_to(root) for path in paths]
    if len({place.with_suffix("") for place in places}) < len(places):
        raise click.ClickException(f"'{root}' holds scans that differ in their suffix alone")
    if len({round(yaw) for yaw in yaws}) < len(yaws):
        raise click.ClickException(f"yaws must differ by a degree or more, got {yaws}")
    counts = dict.fromkeys(("drawn", "kept", "failed"), 0)
    with click.progressbar(list(zip(paths, places)), label="scans") as progress:
        for path, place in progress:
            result = convert(path, place, out / split, yaws, size)
            counts[result if result in counts else "failed"] += 1
            if result not in counts:
                click.echo(result, err=True)
    if out.is_dir():
        write_checksums(out)
    click.echo(", ".join(f"{number} {what}" for what, number in counts.items()))
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
