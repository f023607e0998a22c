"""`l2rkit restore`: restoration of photos in 2D."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..io.names import check_outputs, output_names
from .common import (
    HELP,
    RESTORER_OPTIONS,
    complain,
    import_mmengine,
    part_of_words,
    say,
    user_errors,
    writing,
)
from .paths import paths_of, writable_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from ..data.align import FaceAligner


@click.command(context_settings=HELP, short_help="Writes NAME.png, restored in 2D, for each PHOTO.")
@click.argument("photos", nargs=-1, required=True, type=click.Path(), metavar="PHOTO...")
@click.option(
    "--restorer", default="FaceRestorer", show_default=True, help="Registered name of a restorer."
)
@RESTORER_OPTIONS
@click.option(
    "--out",
    default="restored",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder to write to.",
)
@click.option(
    "--align/--no-align", default=True, help="For restorers of faces: detect and crop the face."
)
@click.option(
    "--paste",
    is_flag=True,
    help="Paste all restored faces back into the photo, at its own size.",
)
@click.option("--device", default="cpu", show_default=True)
@click.pass_context
@user_errors
def restore(
    ctx: click.Context,
    photos: tuple[str, ...],
    restorer: str,
    restorer_options: dict[str, Any],
    out: str,
    align: bool,
    paste: bool,
    device: str,
) -> None:
    """Writes NAME.png, restored in 2D, for each PHOTO; a folder means its photos.

    A restorer of faces writes only the largest face, aligned as for 3D methods. Transparency is
    kept; pictures have 8 bits per channel, and of an animation only the first frame is read.

    Exit status 0: all done. 1: some photos failed, each with a line on the reason; the others are
    written. 2: it could not start.
    """
    import_mmengine()

    import torch
    from PIL import Image

    from ..data.align import FaceAligner
    from ..data.crops import warp, whole
    from ..data.photo import left_out, read_alpha, read_photo, with_alpha
    from ..data.transforms import to_tensor
    from ..engine.devices import chosen_device
    from ..errors import UserError
    from ..io.files import png, write_atomic
    from ..registry import RESTORERS
    from ..restore.tiles import tiled
    from ..viz.mesh import to_bytes

    if paste and not align:
        raise click.UsageError("--paste finds faces by itself: it goes without --no-align")
    folder = writable_folder(out)
    paths = paths_of(photos, folder)
    names = output_names(paths)
    check_outputs(paths, folder, names, (".png",))
    device = chosen_device(device)
    part = part_of_words(RESTORERS, dict(restorer_options, type=restorer)).to(device).eval()
    aligned, size = getattr(part, "aligned", False), getattr(part, "image_size", None)
    if aligned and size is None:
        raise UserError(f"{restorer} restores one aligned face, but states no image_size")
    aligner = FaceAligner(size) if aligned and align else None
    if paste and aligner is None:
        raise UserError(f"--paste is for restorers of faces; {restorer} restores the whole photo")
    # some parts, such as those of one face or of a fixed size, need the whole photo
    whole_photo = size is not None or getattr(part, "needs_whole_photo", False)
    restored = part if whole_photo else partial(tiled, part)
    failed = 0
    for path, name in zip(paths, names):
        try:
            note = "".join(f"; {what}" for what in left_out(path))
            if paste:
                mended = repaired(path, aligner, restored, device)
                with writing():
                    write_atomic(folder / f"{name}.png", png(mended))
                say(f"{path} -> {folder / name}.png{note}")
                continue
            photo, alpha = read_photo(path), read_alpha(path)
            matrix = None
            if aligner is not None:
                photo, matrix = aligner.crop(photo, name=path)
            elif aligned:  # the photo is one face
                matrix = whole(photo.shape, size)
                photo = warp(photo, matrix, size)
            if matrix is not None and alpha is not None:
                alpha = warp(alpha, matrix, len(photo))
            with torch.no_grad():
                (better,) = restored(to_tensor(photo)[None].to(device))
            with writing():
                write_atomic(
                    folder / f"{name}.png",
                    png(with_alpha(Image.fromarray(to_bytes(better)), alpha)),
                )
        except UserError as error:
            failed += 1
            complain(error)
            continue
        say(f"{path} -> {folder / name}.png{note}")
    if failed:
        say(f"{failed} of {len(paths)} photos failed", err=True)
        ctx.exit(1)


def repaired(
    path: Path, aligner: "FaceAligner", restored: "Callable", device: str
) -> "Image.Image":
    """The photo of a file with all of its faces restored.

    Raises:
        UserError: it cannot be read, or shows no face.
    """
    import torch

    from ..data.transforms import to_tensor
    from ..viz.mesh import to_bytes
    from ..viz.paste import open_whole, pasted

    photo, pixels, shrunk = open_whole(path)
    for face in aligner.faces(pixels, name=path):
        crop, matrix = aligner.crop(pixels, face)
        with torch.no_grad():
            (better,) = restored(to_tensor(crop)[None].to(device))
        photo = pasted(photo, to_bytes(better), matrix @ shrunk)
    return photo
