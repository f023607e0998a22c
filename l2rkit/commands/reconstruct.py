"""`l2rkit reconstruct`: photos in, meshes out."""

from collections import Counter
from pathlib import Path

import click

from .doors import quiet, user_errors


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
    from ..data.photo import list_photos
    from ..errors import UserError
    from ..reconstruction import Reconstructor

    folder = writable_folder(out)
    paths = [
        p
        for photo in map(Path, photos)
        for p in (list_photos(photo) if photo.is_dir() else [photo])
    ]
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


def output_names(paths: list[Path]) -> list[str]:
    """A name for each photo's files: its stem, and more where photos share one."""
    stems = Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else path.name for path in paths]
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        names[i] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return names


def writable_folder(path: str) -> Path:
    """The folder, made if it is not there.

    Raises:
        UserError: it cannot be made or written to.
    """
    import tempfile

    from ..errors import UserError

    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from None
    return folder


def more(faces: int) -> str:
    """A note where a photo has more than one face."""
    return "" if faces == 1 else f" and {faces - 1} more"
