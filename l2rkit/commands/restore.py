"""`l2rkit restore`: bad photos in, better pictures out."""

import click

from .doors import quiet, user_errors
from .places import output_names, paths_of, writable_folder


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(), metavar="PHOTO...")
@click.option("--restorer", default="RealESRGAN", show_default=True, help="By its registered name.")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder to write to.")
@click.option("--device", default="cpu", show_default=True)
@click.pass_context
@user_errors
def restore(
    ctx: click.Context, photos: tuple[str, ...], restorer: str, out: str, device: str
) -> None:
    """Writes NAME.png, restored in 2D, for each PHOTO; a folder stands for its photos.

    Status 0: all done. 1: some photos failed, each with a line that says why, the others are
    written. 2: nothing could begin.
    """
    quiet()
    import io

    from PIL import Image

    from ..data.photo import read_photo
    from ..data.transforms import to_tensor
    from ..errors import UserError
    from ..files import write_whole
    from ..registry import RESTORERS
    from ..restore.tiles import tiled
    from ..viz.mesh import to_bytes

    folder, paths = writable_folder(out), paths_of(photos)
    part = RESTORERS.build(dict(type=restorer)).to(device).eval()
    failed = 0
    for path, name in zip(paths, output_names(paths)):
        try:
            photo = to_tensor(read_photo(path))[None].to(device)
        except UserError as error:
            failed += 1
            click.echo(f"failed: {' '.join(str(error).split())}", err=True)
            continue
        (better,) = tiled(part, photo)
        file = io.BytesIO()
        Image.fromarray(to_bytes(better)).save(file, "png")
        write_whole(folder / f"{name}.png", file.getvalue())
        click.echo(f"{path} -> {folder / name}.png")
    if failed:
        click.echo(f"{failed} of {len(paths)} photos failed", err=True)
        ctx.exit(1)
