"""What `reconstruct` writes of each face, and what it finds written already."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..apis.reconstruction import Reconstruction

SHEET, INDEX = "contact-sheet", "index"


@dataclass(frozen=True)
class Writing:
    """The files of a run.

    formats: as `Reconstruction.save` takes them; shape: its arguments of meshes; skip_existing:
    whether what is there stays; made_by: what tells the model from others; panels: the pictures of
    all faces of the run, so far; clips: the videos written of its videos, so far.
    """

    formats: tuple[str, ...]
    shape: dict[str, Any]
    skip_existing: bool = False
    made_by: str = ""
    panels: list[Path] = field(default_factory=list)
    clips: list[Path] = field(default_factory=list)

    def source(self, *photos: Path) -> str:
        """What tells the files of a face from others: the bytes of its photos, model and wishes.

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
        """The files of a photo's faces. Those of the first come last: if they are there, all are.

        Raises:
            UserError: a face cannot be written so.
        """
        names = [face_name(name, number) for number in range(1, len(faces) + 1)]
        (folder / f"{name}.npz").unlink(missing_ok=True)  # from now on they are not all there
        for face, own in reversed(list(zip(faces, names))):
            face.save(folder, own, self.formats, **self.shape, source=source)
        self.panels.extend(folder / f"{own}.png" for own in names)

    def skipped(self, folder: Path, name: str, source: str) -> bool:
        """Whether a photo need not be done: each of its files is there, and made of `source`.

        Files are written whole or not at all, so one that is there is whole; the panel says what
        it was made of, and is written anew before any of the others.
        """
        if not self.skip_existing or not self.there(folder, name, source):
            return False
        number = 1
        while self.there(folder, face_name(name, number), source):
            self.panels.append(folder / f"{face_name(name, number)}.png")
            number += 1
        return True

    def there(self, folder: Path, name: str, source: str) -> bool:
        """Whether all files of a face are, and made of `source`."""
        from ..io.files import made_of
        from ..viz.formats import file_name

        whole = all(os.path.isfile(folder / file_name(name, end)) for end in self.endings())
        return whole and bool(source) and made_of(folder / f"{name}.png") == source

    def endings(self) -> list[str]:
        from ..apis.reconstruction import endings

        return endings(self.formats)

    def pages(self, folder: Path, sheet: str | None, index: bool) -> list[Path]:
        """Writes all faces of the run as one contact sheet of that name, and with its videos as a
        page. What was written, which is nothing if there are none.
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
    """What the files of a photo's first, second ... face are called."""
    return name if number == 1 else f"{name}-face{number}"
