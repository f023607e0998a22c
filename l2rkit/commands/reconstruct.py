"""`l2rkit reconstruct`: photos in, meshes out."""

import click

from .doors import quiet, user_errors
from .places import output_names, paths_of, writable_folder


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(), metavar="PHOTO...")
@click.option("--config", required=True, type=click.Path(), help="The method's config file.")
@click.option("--weights", type=click.Path(), help="Trained weights.  [default: the shipped ones]")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder to write to.")
@click.option("--align/--no-align", default=True, help="Find faces, or take photos as cropped.")
@click.option("--all-faces", is_flag=True, help="Every face of a photo, not only the largest.")
@click.option("--device", default="cpu", show_default=True)
@click.pass_context
@user_errors
def reconstruct(
    ctx: click.Context,
    photos: tuple[str, ...],
    config: str,
    weights: str | None,
    out: str,
    align: bool,
    all_faces: bool,
    device: str,
) -> None:
    """Writes NAME.npz, NAME.glb and NAME.png for each PHOTO; a folder stands for its photos.

    Status 0: all done. 1: some photos failed, each with a line that says why, the others are
    written. 2: nothing could begin.
    """
    quiet()
    from ..errors import UserError
    from ..reconstruction import Reconstructor

    folder, paths = writable_folder(out), paths_of(photos)
    model = Reconstructor(config, weights, align, all_faces, device)
    failed = 0
    for path, name in zip(paths, output_names(paths)):
        try:
            faces = model(path)
        except UserError as error:
            failed += 1
            click.echo(f"failed: {' '.join(str(error).split())}", err=True)
            continue
        for number, face in enumerate(faces, 1):
            face.save(folder, name if number == 1 else f"{name}-face{number}")
        click.echo(f"{path} -> {folder / name}.npz, .glb, .png" + more(len(faces)))
    if failed:
        click.echo(f"{failed} of {len(paths)} photos failed", err=True)
        ctx.exit(1)


def more(faces: int) -> str:
    """A note where a photo has more than one face."""
    return "" if faces == 1 else f" and {faces - 1} more"
