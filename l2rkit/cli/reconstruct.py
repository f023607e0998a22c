"""`l2rkit reconstruct`: writes meshes, maps and pictures of the faces in photos and videos."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..zoo import DEFAULT_CONFIG
from .clips import each_clip
from .common import HELP, complain, import_mmengine, say, user_errors
from .common import writing as writing_files
from .outputs import INDEX, SHEET, Writing
from .paths import writable_folder
from .planning import planned

if TYPE_CHECKING:
    from ..apis.reconstruction import Reconstruction
    from ..apis.reconstructor import Crop, Reconstructor

WIDTHS_MM = 0.001, 1_000_000  # files hold numbers in single precision
FORMATS = ("glb", "obj", "ply", "stl")


@click.command(context_settings=HELP)
@click.argument("photos", nargs=-1, type=click.Path(), metavar="PHOTO...")
@click.option("--config", default=DEFAULT_CONFIG, show_default=True, type=click.Path())
@click.option("--weights", type=click.Path(), help="Trained weights.  [default: the shipped ones]")
@click.option(
    "--out",
    default="out",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder to write to.",
)
@click.option("--align/--no-align", default=True, help="Crop faces, or take photos as crops.")
@click.option(
    "--collection",
    multiple=True,
    type=click.Path(),
    metavar="FOLDER",
    help="Photos of one person, reconstructed together. May be repeated.",
)
@click.option("--all-faces", is_flag=True, help="Every face of a photo, not only the largest.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    default=("glb",),
    show_default=True,
    help="Format of meshes. May be repeated.",
)
@click.option(
    "--fidelity",
    type=click.FloatRange(0, 1),
    help="Weight of the photo's pixels against the learnt prior, 0 to 1.",
)
@click.option("--keep-background", is_flag=True, help="Keep hair and background in meshes.")
@click.option(
    "--watertight", is_flag=True, help="Close meshes with walls and a flat back, for 3D printing."
)
@click.option(
    "--width-mm",
    type=float,
    help="Width of the face, which a photo does not show: meshes are in millimetres "
    "(.glb: metres, by its standard).",
)
@click.option(
    "--texture-size",
    type=click.IntRange(2, 4096),
    help="Width of the texture of meshes in pixels.  [default: the photo's, up to 1024]",
)
@click.option("--turntable", is_flag=True, help="NAME.gif: the face turning.")
@click.option("--relight", is_flag=True, help="NAME-relit.gif: a light moving around the face.")
@click.option("--sheet", is_flag=True, help=f"{SHEET}.png: all photos of the run with their faces.")
@click.option(
    "--index/--no-index",
    default=None,
    help=f"{INDEX}.html: a page with all faces in 3D.  [default: for several inputs]",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Skip photos whose files all exist, and continue videos.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ... or auto.")
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
    formats: tuple[str, ...],
    fidelity: float | None,
    keep_background: bool,
    watertight: bool,
    width_mm: float | None,
    texture_size: int | None,
    turntable: bool,
    relight: bool,
    sheet: bool,
    index: bool | None,
    skip_existing: bool,
    device: str,
) -> None:
    """Writes NAME.npz, NAME.png and meshes for each PHOTO.

    PHOTO is a file, a folder, or a pattern such as 'photos/**/*.jpg'. For several photos and
    videos, index.html shows all faces.

    In a video (.mp4, .mov, .avi, .mkv, .webm) it follows one face: NAME-3d.mp4 shows each frame,
    the face rendered in it, and the face turned; NAME-3d.npz has its poses, the folder NAME-3d a
    mesh for each frame.

    For a --collection FOLDER it writes the face that the photos share, and each photo's own face
    into a folder of that name.

    The line of a photo names possible causes of a poor face: occluded, cut, too small, profile,
    low score.

    Exit status 0: all photos are done. 1: some photos failed, each with one line that says why;
    the others are written. 2: wrong usage, nothing was done.
    """
    if not photos and not collection:
        raise click.UsageError("name a PHOTO or a --collection")
    if collection and all_faces:
        raise click.UsageError("a --collection takes the largest face of each photo")
    if width_mm is not None and not WIDTHS_MM[0] <= width_mm <= WIDTHS_MM[1]:
        least, most = WIDTHS_MM
        raise click.UsageError(f"--width-mm is above 0, {least} to {most}, not {width_mm}")
    folder = writable_folder(out)
    moving = {"turntable": turntable, "relight": relight}
    kinds = (*formats, *(name for name, asked in moving.items() if asked))
    plan = planned(photos, collection, folder, kinds, all_faces, sheet, index)
    if plan.clips and (all_faces or any(moving.values())):
        raise click.UsageError("--all-faces, --turntable and --relight are for photos, not videos")
    import_mmengine()  # takes seconds: usage errors come first
    from ..apis.reconstructor import Reconstructor

    model = Reconstructor(config, weights, align, all_faces, device, fidelity)
    writing = Writing(
        kinds,
        dict(
            keep_background=keep_background,
            watertight=watertight,
            width_mm=width_mm,
            texture_size=texture_size,
        ),
        skip_existing,
        model.digest(),
    )
    failed = each_alone(model, plan.alone, folder, writing)
    for person, named in plan.people.items():
        failed += together(model, named, folder, person, writing)
    failed += each_clip(model, plan.clips, folder, writing)
    with writing_files():
        made = writing.pages(folder, plan.sheet if sheet else None, plan.index)
    for page in made:
        clips = len(writing.clips) if page.suffix == ".html" else 0
        say(f"{counted(len(writing.panels), clips)} -> {page}")
    if failed:
        what = "photos and videos" if plan.clips else "photos"
        say(f"{failed} of {plan.total} {what} failed", err=True)
        ctx.exit(1)


def each_alone(
    model: "Reconstructor", photos: dict[Path, str], folder: Path, writing: Writing
) -> int:
    """Writes the faces of each photo by its name. Returns how many photos failed."""
    from ..errors import UserError

    failed, kinds = 0, ", ".join(writing.endings())
    for path, name in photos.items():
        source = writing.source(path)
        if writing.skipped(folder, name, source):
            say(f"{path}: {folder / name}{kinds} are there")
            continue
        try:
            faces = model(path)
            with writing_files():
                writing.write(faces, folder, name, source)
        except UserError as error:
            failed += 1
            complain(error)
            continue
        say(f"{path} -> {folder / name}{kinds}" + more(len(faces)) + flagged(faces))
    return failed


def together(
    model: "Reconstructor", photos: dict[Path, str], folder: Path, person: str, writing: Writing
) -> int:
    """Writes the photos' shared face and each photo's own. Returns how many photos failed."""
    kinds, source = ", ".join(writing.endings()), writing.source(*photos)
    left = writing.left(folder, person, photos, source)
    crops = cut_each(model, left)
    if len(left) < len(photos) and not crops:
        say(f"{person}: {folder / person}{kinds} are there")
        there = [folder / person / photos[path] for path in photos if path not in left]
        writing.panels.extend(f.with_name(f"{f.name}.png") for f in (*there, folder / person))
        return len(left)
    crops |= cut_each(model, [path for path in photos if path not in left])
    crops = {path: crops[path] for path in photos if path in crops}
    if not crops:
        return len(photos)
    seen = model.collection(list(crops.values()))
    faces, written = dict(zip(crops, seen.photos)), 0
    (folder / f"{person}.npz").unlink(missing_ok=True)  # marks the set of files as incomplete
    for (path, face), share in zip(faces.items(), seen.share.tolist()):
        name = photos[path]
        if wrote(writing, face, folder / person, name, source):
            written += 1
            counts = f", counts {share:.2f}"
            say(f"{path} -> {folder / person / name}{kinds}{counts}" + flagged([face]))
    # The shared face comes last: if it exists, all files do.
    if written == len(faces) and wrote(writing, seen.shared, folder, person, source):
        say(f"{len(faces)} photos -> {folder / person}{kinds}")
    elif written == len(faces):
        written = 0  # each photo lacks the shared face
    return len(photos) - written


def cut_each(model: "Reconstructor", photos: Iterable[Path]) -> "dict[Path, Crop]":
    """The largest face's crop of each photo that has one; of others it says what is wrong."""
    from ..errors import UserError

    crops = {}
    for path in photos:
        try:
            crops[path] = model.crops(path)[0]
        except UserError as error:
            complain(error)
    return crops


def wrote(writing: Writing, face: "Reconstruction", folder: Path, name: str, source: str) -> bool:
    """Whether a face's files were written; if not, it says why."""
    from ..errors import UserError

    try:
        with writing_files():
            writing.write([face], folder, name, source)
    except UserError as error:
        complain(error)
        return False
    return True


def counted(faces: int, videos: int) -> str:
    """How many faces and videos, in words."""
    kinds = {"face": faces, "video": videos}
    named = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items() if count]
    return " and ".join(named)


def more(faces: int) -> str:
    """A note on the number of faces, if a photo has several: " and 2 more"."""
    return "" if faces == 1 else f" and {faces - 1} more"


def flagged(faces: "Sequence[Reconstruction]") -> str:
    """A note on the quality flags of a photo's faces: "; quality: cut, face 3 too small"."""
    notes = [
        f"face {number} {flag}" if number > 1 else flag
        for number, face in enumerate(faces, 1)
        for flag in face.flags
    ]
    return f"; quality: {', '.join(notes)}" if notes else ""
