"""`l2rkit reconstruct`: photos in, meshes out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .doors import complain, quiet, user_errors
from .places import output_names, paths_of, writable_folder

if TYPE_CHECKING:
    from ..reconstruction import Reconstructor


@click.command()
@click.argument("photos", nargs=-1, type=click.Path(), metavar="PHOTO...")
@click.option("--config", required=True, type=click.Path(), help="The method's config file.")
@click.option("--weights", type=click.Path(), help="Trained weights.  [default: the shipped ones]")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder to write to.")
@click.option("--align/--no-align", default=True, help="Find faces, or take photos as cropped.")
@click.option(
    "--collection",
    multiple=True,
    type=click.Path(),
    metavar="FOLDER",
    help="Photos of one person, to be seen together. May be repeated.",
)
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
    collection: tuple[str, ...],
    all_faces: bool,
    device: str,
) -> None:
    """Writes NAME.npz, NAME.glb and NAME.png for each PHOTO; a folder stands for its photos.

    Of a --collection FOLDER these are the face that its photos share; each photo's own is written
    into a folder of that name.

    Status 0: all done. 1: some photos failed, each with a line that says why, the others are
    written. 2: nothing could begin.
    """
    quiet()
    from ..reconstruction import Reconstructor

    if not photos and not collection:
        raise click.UsageError("name a PHOTO or a --collection")
    if collection and all_faces:
        raise click.UsageError("a --collection takes the largest face of each photo")
    folder = writable_folder(out)
    jobs = [paths_of(photos), *(paths_of([person]) for person in collection)]
    model = Reconstructor(config, weights, align, all_faces, device)
    failed = one_by_one(model, jobs[0], folder)
    for person, paths in zip(collection, jobs[1:]):
        failed += together(model, paths, folder, Path(person).resolve().name)
    if failed:
        click.echo(f"{failed} of {sum(map(len, jobs))} photos failed", err=True)
        ctx.exit(1)


def one_by_one(model: "Reconstructor", paths: list[Path], folder: Path) -> int:
    """Writes the faces of each photo. How many photos failed."""
    from ..errors import UserError

    failed = 0
    for path, name in zip(paths, output_names(paths)):
        try:
            faces = model(path)
        except UserError as error:
            failed += 1
            complain(error)
            continue
        for number, face in enumerate(faces, 1):
            face.save(folder, name if number == 1 else f"{name}-face{number}")
        click.echo(f"{path} -> {folder / name}.npz, .glb, .png" + more(len(faces)))
    return failed


def together(model: "Reconstructor", paths: list[Path], folder: Path, person: str) -> int:
    """Writes the face that all photos share, and each photo's own. How many photos failed."""
    from ..errors import UserError

    crops = {}
    for path in paths:
        try:
            crops[path] = model.crops(path)[0]
        except UserError as error:
            complain(error)
    if not crops:
        return len(paths)
    seen = model.collection(list(crops.values()))
    seen.shared.save(folder, person)
    click.echo(f"{len(crops)} photos -> {folder / person}.npz, .glb, .png")
    names = output_names(list(crops))
    for path, name, face, share in zip(crops, names, seen.photos, seen.share.tolist()):
        face.save(folder / person, name)
        click.echo(f"{path} -> {folder / person / name}.npz, .glb, .png, counts {share:.2f}")
    return len(paths) - len(crops)


def more(faces: int) -> str:
    """A note where a photo has more than one face."""
    return "" if faces == 1 else f" and {faces - 1} more"
