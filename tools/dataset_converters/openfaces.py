"""Builds the photo pack openfaces in OUT from copies of its four public sources.

\b
    --voteview  a clone of github.com/voteview/member_photos
    --twfy      a clone of github.com/mysociety/theyworkforyou
    --london    the unpacked files of doi.org/10.6084/m9.figshare.5047666.v5
    --faker     a clone of github.com/faker-js/assets-person-portrait

\b
    OUT/photos/SOURCE/NAME.jpg
    OUT/manifest.csv            the rows whose photos are in OUT
    OUT/SHA256SUMS

Each source is optional; a later call adds others. OUT is then the OPENFACES_ROOT. The shipped
manifest has no places of crops in their pictures; the converter finds them by 16 grey values. In a
test on pictures made around the 6,180 crops, all edges were within 1 px, 97 % of the crops exact.
The files are not byte for byte those that the weights were trained on.

A picture that is missing, unreadable or different is left out with one line, and the exit status is
then 1. Photos in OUT are kept. Do not use the photos to identify people.
"""

import io
import sys
import time
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

import click
import cv2
import numpy as np
from PIL import Image

from l2rkit.data.checksums import write_checksums
from l2rkit.data.openfaces import (
    SOURCES,
    CropRow,
    looks_like,
    manifest_text,
    read_rows,
)
from l2rkit.data.openfaces.place import cut
from l2rkit.data.photo import photo_size, read_photo
from l2rkit.errors import DataError, UserError
from l2rkit.io.files import write_atomic

FEWEST = 0.5  # of a source's pictures; with fewer the folder is probably a wrong one
QUALITY = 90


def convert(out: Path, task: tuple[CropRow, Path]) -> str:
    """Writes one crop, atomically: 'kept', 'cut', or the reason of a failure."""
    cv2.setNumThreads(1)
    row, origin = task
    target = out / row.path
    if target.is_file():
        return "kept"
    try:
        crop = cut(read_photo(origin), row)
    except DataError as error:
        return f"photo '{origin}': {error}"
    except UserError as error:
        return str(error)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(crop)).save(file, "JPEG", quality=QUALITY)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, file.getvalue())
    return "cut"


def origins(name: str, folder: Path, rows: list[CropRow]) -> list[Path]:
    """The path of each row's picture; `folder` may also be a subfolder common to all of them.

    Raises:
        DataError: most of the pictures are missing.
    """
    paths = [PurePosixPath(row.origin) for row in rows]
    shared = 0
    while len({path.parts[: shared + 1] for path in paths}) == 1 < len(paths[0].parts) - shared:
        shared += 1
    places = [[folder.joinpath(*p.parts[skip:]) for p in paths] for skip in range(shared + 1)]
    there = [sum(place.is_file() for place in way) for way in places]
    best = max(range(len(places)), key=there.__getitem__)
    if there[best] < FEWEST * len(rows):
        raise DataError(
            f"--{name} '{folder}' lacks {len(rows) - there[best]} of {len(rows)} pictures, such as "
            f"'{rows[0].origin}'; expected {SOURCES[name].address}"
        )
    return places[best]


def check(out: Path, rows: list[CropRow]) -> bool:
    """Prints which photos of OUT are missing or differ from the manifest; True if none."""
    well = True
    for name in SOURCES:
        mine = [row for row in rows if row.source == name]
        there = [row for row in mine if (out / row.path).is_file()]
        wrong = list(filter(None, (fault(out / row.path, row) for row in there)))
        for line in wrong:
            click.echo(line, err=True)
        well &= not wrong and len(there) in (0, len(mine))
        click.echo(f"{name}: {len(there)} of {len(mine)} photos, {len(wrong)} wrong")
    return well


def fault(path: Path, row: CropRow) -> str | None:
    """The fault of a photo of the pack in one line; None if there is none."""
    try:
        size = photo_size(path)
        if size != (row.width, row.height):
            width, height = size
            return f"photo '{path}': {width} x {height} px; expected {row.width} x {row.height}"
        return None if looks_like(read_photo(path), row) else f"photo '{path}': another picture"
    except UserError as error:
        return str(error)


@click.command(help=__doc__)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--voteview", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--twfy", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--london", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--faker", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Another manifest with the same columns."
)
@click.option("--check", "only_check", is_flag=True, help="Only compares OUT with the manifest.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes.")
def main(out: Path, manifest: Path | None, only_check: bool, workers: int, **folders: Path | None):
    try:
        rows = read_rows(manifest)
        if only_check:
            sys.exit(0 if check(out, rows) else 1)
        sys.exit(0 if build(out, rows, folders, workers) else 1)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None


def build(out: Path, rows: list[CropRow], folders: dict[str, Path | None], workers: int) -> bool:
    """Crops the photos of the given folders; True if none was left out."""
    given = {name: folder for name in SOURCES if (folder := folders[name])}
    if not given:
        raise DataError(f"no source is given: {', '.join(f'--{name}' for name in SOURCES)}")
    tasks = []
    for name, folder in given.items():
        here, there = out.resolve(), folder.resolve()
        if here.is_relative_to(there) or there.is_relative_to(here):
            raise DataError(f"OUT '{out}' and --{name} '{folder}' lie within each other")
        mine = [row for row in rows if row.source == name]
        tasks += zip(mine, origins(name, folder, mine)) if mine else []
    began = time.monotonic()
    counts = dict.fromkeys(("cut", "kept", "left out"), 0)
    work = partial(convert, out)
    with get_context("spawn").Pool(workers) if workers > 1 else nullcontext() as pool:
        results = pool.imap(work, tasks, chunksize=8) if pool else map(work, tasks)
        with click.progressbar(results, length=len(tasks), label="photos") as progress:
            for result in progress:
                counts[result if result in counts else "left out"] += 1
                if result not in counts:
                    click.echo(result, err=True)
    whole = [row for row in rows if (out / row.path).is_file()]
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "manifest.csv", manifest_text(whole).encode())
    write_checksums(out)
    for name in SOURCES:
        of, mine = (sum(row.source == name for row in some) for some in (rows, whole))
        hint = "" if name in given or mine == of else f"; --{name} is not given"
        click.echo(f"{name}: {mine} of {of} photos{hint}")
    summary = ", ".join(f"{number} {what}" for what, number in counts.items())
    click.echo(f"{summary} in {time.monotonic() - began:.0f} s")
    return not counts["left out"]


if __name__ == "__main__":
    main()
