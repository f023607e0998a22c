"""Writes the files of `reconstruct`, and finds those that exist already."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

if TYPE_CHECKING:
    from ..apis.reconstruction import Reconstruction

SHEET, INDEX = "contact-sheet", "index"


@dataclass(frozen=True)
class Writing:
    """The files of a run.

    formats: of `Reconstruction.save`; shape: its arguments for meshes; skip_existing: keeps
    existing files; made_by: identifies the model; panels: the pictures of all faces so far; clips:
    the output videos so far.
    """

    formats: tuple[str, ...]
    shape: dict[str, Any]
    skip_existing: bool = False
    made_by: str = ""
    panels: list[Path] = field(default_factory=list)
    clips: list[Path] = field(default_factory=list)

    def source(self, *photos: Path) -> str:
        """A hash of the bytes of a face's photos, the model and the options for meshes.

        "" if a photo cannot be read.
        """
        from ..io.files import file_digest

        known = sha256(f"{self.made_by} {sorted(self.shape.items())}".encode())
        for photo in photos:
            try:
                content = file_digest(photo)
            except (OSError, ValueError):
                content = None
            if content is None:
                return ""
            known.update(content)
        return known.hexdigest()

    def write(
        self, faces: "list[Reconstruction]", folder: Path, name: str, source: str = ""
    ) -> None:
        """Writes the files of a photo's faces, the first face last: if its files exist, all do.

        Raises:
            UserError: a face cannot be written in one of the formats.
        """
        names = [face_name(name, number) for number in range(1, len(faces) + 1)]
        (folder / f"{name}.npz").unlink(missing_ok=True)  # marks the set of files as incomplete
        for face, own in reversed(list(zip(faces, names))):
            face.save(folder, own, self.formats, **self.shape, source=source)
        self.panels.extend(folder / f"{own}.png" for own in names)

    def skipped(self, folder: Path, name: str, source: str) -> bool:
        """Whether a photo is skipped: all of its files exist and were made from `source`.

        Files are written atomically, so an existing file is complete. The panel holds the source,
        and is written before the other files.
        """
        if not self.skip_existing or not self.there(folder, name, source):
            return False
        number = 1
        while self.there(folder, face_name(name, number), source):
            self.panels.append(folder / f"{face_name(name, number)}.png")
            number += 1
        return True

    def left(self, folder: Path, person: str, photos: dict[Path, str], source: str) -> list[Path]:
        """The photos of a person whose own files are not there; all, if the shared face is not."""
        if not self.skip_existing or not self.there(folder, person, source):
            return list(photos)
        own = folder / person
        return [path for path, name in photos.items() if not self.there(own, name, source)]

    def there(self, folder: Path, name: str, source: str) -> bool:
        """Whether all files of a face exist and were made from `source`."""
        from ..io.files import made_of
        from ..io.names import file_name

        whole = all(os.path.isfile(folder / file_name(name, end)) for end in self.endings())
        whole = whole and is_zipfile(folder / f"{name}.npz")  # of a file cut short it is false
        return whole and bool(source) and made_of(folder / f"{name}.png") == source

    def endings(self) -> list[str]:
        from ..apis.reconstruction import endings

        return endings(self.formats)

    def pages(self, folder: Path, sheet: str | None, index: bool) -> list[Path]:
        """Writes a contact sheet of that name, and a page with all faces and videos of the run.

        Returns the paths that were written; none if there are no faces.
        """
        from ..io.files import png, write_atomic
        from ..viz.contact import contact_sheet
        from ..viz.gallery import gallery

        contents = {}
        if sheet is not None and self.panels:
            contents[folder / f"{sheet}.png"] = png(contact_sheet(self.panels))
        if index and (self.panels or self.clips):
            contents[folder / f"{INDEX}.html"] = gallery(self.panels, folder, self.clips).encode()
        for path, content in contents.items():
            write_atomic(path, content)
        return list(contents)


def face_name(name: str, number: int) -> str:
    """The file name, without ending, of a photo's first, second, ... face."""
    return name if number == 1 else f"{name}-face{number}"
