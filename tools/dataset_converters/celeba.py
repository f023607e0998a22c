"""Aligns CelebA: from ROOT, the official layout, to OUT, a folder of small square faces.

The largest face of each photo is aligned by l2rkit's aligner. Photos without a detected face are
cropped at the fixed place of `l2rkit.data.celeba.ALIGNED_CROP`. Faces of this size that are in OUT
are kept, so an interrupted run can be started again. OUT/SHA256SUMS has the checksums. Use the
result with CelebA(data_root=OUT, aligned_crop=False).
"""

import os
import shutil
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from l2rkit.data.align import FaceAligner, NoFaceError
from l2rkit.data.celeba import ALIGNED_CROP, IMAGE_FOLDERS, find_celeba, read_list
from l2rkit.data.checksums import write_checksums
from l2rkit.data.photo import PhotoError, read_photo
from l2rkit.data.transforms import crop_box, resize_photo
from l2rkit.errors import DataError


def square_face(photo: np.ndarray, size: int, align: bool) -> tuple[np.ndarray, bool]:
    """The (size, size, 3) face of an official aligned photo, and whether it was detected."""
    if align:
        try:
            return FaceAligner(size).crop(photo)[0], True
        except NoFaceError:
            pass
    return resize_photo(crop_box(photo, *ALIGNED_CROP), size), False


def convert(size: int, align: bool, suffix: str, images: Path, out: Path, name: str) -> str:
    """Writes one face, atomically: 'kept', 'aligned', 'fixed', or the reason of a failure."""
    cv2.setNumThreads(1)
    target = (out / name).with_suffix(suffix)
    if target.is_file():
        with Image.open(target) as there:
            if there.size == (size, size):
                return "kept"
    try:
        face, found = square_face(read_photo(images / name), size, align)
    except PhotoError as error:
        return str(error)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    Image.fromarray(face).save(part, format={".jpg": "JPEG"}.get(suffix, "PNG"), quality=95)
    part.replace(target)
    return "aligned" if found else "fixed"


@click.command(help=__doc__)
@click.argument("root", type=click.Path(file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--size", default=128, show_default=True, type=click.IntRange(8), help="Side of a face in px."
)
@click.option("--align/--fixed", default=True, help="Detect each face, or use a fixed crop.")
@click.option("--suffix", default=".jpg", type=click.Choice([".jpg", ".png"]), show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--limit", type=int, help="Use only the first photos of the list, for a trial.")
def main(root: Path, out: Path, size: int, align: bool, suffix: str, workers: int, limit: int):
    try:
        images, *lists = find_celeba(root)
        names = [name for name, _ in read_list(lists[0])][:limit]
    except DataError as error:
        raise click.ClickException(str(error)) from None
    folder = out / IMAGE_FOLDERS[0]
    if out.resolve() == root.resolve() or folder.resolve() == images.resolve():
        raise click.ClickException(f"{out} has the original photos: choose another OUT")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be made: {error.strerror}") from None
    counts = dict.fromkeys(("aligned", "fixed", "kept", "failed"), 0)
    work = partial(convert, size, align, suffix, images, folder)
    with get_context("spawn").Pool(workers) if workers > 1 else nullcontext() as pool:
        results = pool.imap(work, names, chunksize=16) if pool else map(work, names)
        with click.progressbar(results, length=len(names), label="faces") as progress:
            for result in progress:
                counts[result if result in counts else "failed"] += 1
                if result not in counts:
                    click.echo(result, err=True)
    for path in filter(None, lists):
        shutil.copyfile(path, out / path.name)
    write_checksums(out)
    click.echo(", ".join(f"{number} {what}" for what, number in counts.items()))


if __name__ == "__main__":
    main()
