"""`l2rkit restore`: bad photos in, better pictures out."""

from functools import partial
from typing import Any

import click

from .common import RESTORER_OPTIONS, complain, import_mmengine, part_of_words, user_errors
from .paths import check_outputs, output_names, paths_of, writable_folder


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(), metavar="PHOTO...")
@click.option(
    "--restorer", default="FaceRestorer", show_default=True, help="By its registered name."
)
@RESTORER_OPTIONS
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder to write to.")
@click.option(
    "--align/--no-align", default=True, help="For restorers of faces: find the face and cut it out."
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
    device: str,
) -> None:
    """Writes NAME.png, restored in 2D, for each PHOTO; a folder stands for its photos.

    A restorer of faces gives the largest face alone, aligned as the 3D methods want it.

    Status 0: all done. 1: some photos failed, each with a line that says why, the others are
    written. 2: nothing could begin.
    """
    import_mmengine()

    import torch
    from PIL import Image

    from ..data.align import FaceAligner
    from ..data.photo import read_photo
    from ..data.transforms import to_tensor
    from ..engine.devices import chosen_device
    from ..errors import UserError
    from ..io.files import png, write_whole
    from ..registry import RESTORERS
    from ..restore.tiles import tiled
    from ..viz.mesh import to_bytes

    folder = writable_folder(out)
    paths = paths_of(photos, folder)
    names = output_names(paths)
    check_outputs(paths, folder, names, (".png",))
    device = chosen_device(device)
    part = part_of_words(RESTORERS, dict(restorer_options, type=restorer)).to(device).eval()
    aligned = getattr(part, "aligned", False)
    aligner = FaceAligner(part.image_size) if aligned and align else None
    # some, such as face restorers, have to see the whole photo
    restored = part if aligned or getattr(part, "whole", False) else partial(tiled, part)
    failed = 0
    for path, name in zip(paths, names):
        try:
            photo = read_photo(path)
            if aligner is not None:
                photo, _ = aligner.crop(photo, name=path)
        except UserError as error:
            failed += 1
            complain(error)
            continue
        with torch.no_grad():
            (better,) = restored(to_tensor(photo)[None].to(device))
        write_whole(folder / f"{name}.png", png(Image.fromarray(to_bytes(better))))
        click.echo(f"{path} -> {folder / name}.png")
    if failed:
        click.echo(f"{failed} of {len(paths)} photos failed", err=True)
        ctx.exit(1)
