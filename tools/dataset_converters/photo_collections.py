"""Aligns photos by person: from ROOT, a folder per person, to OUT, a folder per person of faces.

For LFW, CASIA-WebFace and other photos without landmarks. The largest face of each photo is aligned
by l2rkit's aligner; a photo without a face is left out, with one line. Faces already in OUT are
kept, so an interrupted run can be started again. OUT/SHA256SUMS has the checksums. Use the result
with PhotoCollections(photos=OUT).
"""

import io
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import click
import cv2
from PIL import Image

from l2rkit.data.align import FaceAligner
from l2rkit.data.checksums import write_checksums
from l2rkit.data.photo import PhotoError, list_photos, read_photo
from l2rkit.io.files import write_atomic


def convert(size: int, root: Path, out: Path, below: Path) -> str:
    """Writes one face, atomically: 'kept', 'aligned', or the reason of a failure."""
    cv2.setNumThreads(1)
    target = out / below.parent / f"{below.name}.jpg"  # 1.jpg and 1.png may be two photos
    if target.is_file():
        return "kept"
    try:
        face, _ = FaceAligner(size).crop(read_photo(root / below), name=root / below)
    except PhotoError as error:
        return str(error)
    file = io.BytesIO()
    Image.fromarray(face).save(file, "JPEG", quality=95)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, file.getvalue())
    return "aligned"


@click.command(help=__doc__)
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--size", default=128, show_default=True, type=click.IntRange(8), help="Side of a face in px."
)
@click.option("--workers", default=2, show_default=True, help="Processes.")
def main(root: Path, out: Path, size: int, workers: int):
    if out.resolve().is_relative_to(root.resolve()):
        raise click.ClickException(f"OUT '{out}' lies inside ROOT '{root}'")
    try:
        names = [path.relative_to(root) for path in list_photos(root)]
    except PhotoError as error:
        raise click.ClickException(str(error)) from None
    counts = dict.fromkeys(("aligned", "kept", "left out"), 0)
    work = partial(convert, size, root, out)
    with get_context("spawn").Pool(workers) if workers > 1 else nullcontext() as pool:
        results = pool.imap(work, names, chunksize=16) if pool else map(work, names)
        with click.progressbar(results, length=len(names), label="faces") as progress:
            for result in progress:
                counts[result if result in counts else "left out"] += 1
                if result not in counts:
                    click.echo(result, err=True)
    if out.is_dir():
        write_checksums(out)
    click.echo(", ".join(f"{number} {what}" for what, number in counts.items()))


if __name__ == "__main__":
    main()
