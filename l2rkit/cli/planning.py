"""Plans the files that a run of `reconstruct` will write, before work begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..io.names import VIDEOS, check_outputs, is_video, output_names
from .outputs import INDEX, SHEET
from .paths import OF_FRAMES, PROGRESS, holds_frames, paths_of

CLIP_ENDINGS = (".mp4", ".npz", "")  # the last is a folder


@dataclass(frozen=True)
class Plan:
    """The inputs of a run and the names of their files.

    alone: photos; people: the photos of each person, by the person's name; clips: videos; sheet:
    the name of the contact sheet; index: whether a page shows all faces and videos.
    """

    alone: dict[Path, str]
    people: dict[str, dict[Path, str]]
    clips: dict[Path, str]
    sheet: str
    index: bool

    @property
    def total(self) -> int:
        """Photos and videos."""
        return len(self.alone) + len(self.clips) + sum(map(len, self.people.values()))


def planned(
    photos: Sequence[str],
    collections: Sequence[str],
    folder: Path,
    formats: Sequence[str],
    every_face: bool = False,
    sheet: bool = False,
    index: bool | None = None,
) -> Plan:
    """The plan of a run. Its files differ from each other and from all photos and videos.

    index: None makes a page if there are several photos or videos.

    Raises:
        UserError: a file would overwrite a photo, or a picture, video or page not from l2rkit.
    """
    from ..apis.reconstruction import endings

    paths = list(dict.fromkeys(paths_of(photos, folder, suffixes=VIDEOS)))
    clips = [path for path in paths if is_video(path)]
    alone = [path for path in paths if not is_video(path)]
    homes = [Path(person).resolve() for person in collections]
    ends = [*endings(formats), *(CLIP_ENDINGS if clips else ())]
    names = output_names([*alone, *homes, *clips], ends, every_face)
    people = {}
    for home, name in zip(homes, names[len(alone) :]):
        own = list(dict.fromkeys(paths_of([str(home)], folder / name, folder)))
        people[name] = dict(zip(own, output_names(own, endings(formats))))
    inputs = [*paths, *(path for named in people.values() for path in named)]
    check_outputs(inputs, folder, names, ends, every_face)
    for person, named in people.items():
        check_outputs(inputs, folder / person, list(named.values()), endings(formats))
    of_clips = dict(zip(clips, names[len(alone) + len(homes) :]))
    for name in of_clips.values():
        check_clip_folder(folder, name)
    title, written = SHEET, {f"{name}{end}".casefold() for name in names for end in ends}
    while f"{title}.png" in written:  # a photo may have this name
        title += "-2"
    if sheet:
        check_outputs(inputs, folder, [title], [".png"])
    index = len(inputs) > 1 if index is None else index
    if index:
        check_outputs(inputs, folder, [INDEX], [".html"])
    return Plan(dict(zip(alone, names)), people, of_clips, title, index)


def check_clip_folder(folder: Path, name: str) -> None:
    """Checks that the files of a video's frames may be written to `folder/name`.

    Raises:
        UserError: it is a file, or contains files that are not from l2rkit.
    """
    from ..errors import UserError

    home = folder / name
    if home.is_dir():
        if not holds_frames(home) and any(home.iterdir()):
            raise UserError(
                f"the folder {home} is there, and is none of l2rkit's: "
                "choose another --out, or move it"
            )
        if not (home / PROGRESS).is_file():  # a finished run leaves no pictures of frames
            for path in home.iterdir():
                if (found := OF_FRAMES.fullmatch(path.name)) and found["picture"]:
                    raise UserError(
                        f"{path} is none of l2rkit's, and would be overwritten: "
                        "choose another --out, or move it"
                    )
    elif home.exists():
        raise UserError(f"{home} is a file; expected a folder: choose another --out, or move it")
