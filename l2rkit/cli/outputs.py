"""What `reconstruct` writes of each face, and what it finds written already."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..apis.reconstruction import Reconstruction

SHEET = "contact-sheet"


@dataclass(frozen=True)
class Writing:
    """The files of a run.

    formats: as `Reconstruction.save` takes them; shape: its arguments of meshes; skip_existing:
    whether what is there stays; panels: the pictures of all faces of the run, so far.
    """

    formats: tuple[str, ...]
    shape: dict[str, Any]
    skip_existing: bool = False
    panels: list[Path] = field(default_factory=list)

    def write(self, faces: "list[Reconstruction]", folder: Path, name: str) -> None:
        """The files of a photo's faces. Those of the first come last: if they are there, all are.

        Raises:
            UserError: a face cannot be written so.
        """
        names = [face_name(name, number) for number in range(1, len(faces) + 1)]
        for face, own in reversed(list(zip(faces, names))):
            face.save(folder, own, self.formats, **self.shape)
        self.panels.extend(folder / f"{own}.png" for own in names)

    def skipped(self, folder: Path, name: str) -> bool:
        """Whether a photo need not be done, since each of its files is there.

        Files are written whole or not at all, so one that is there is whole.
        """
        if not self.skip_existing or not self.there(folder, name):
            return False
        number = 1
        while self.there(folder, face_name(name, number)):
            self.panels.append(folder / f"{face_name(name, number)}.png")
            number += 1
        return True

    def there(self, folder: Path, name: str) -> bool:
        """Whether all files of a face are."""
        from ..viz.formats import file_name

        return all(os.path.isfile(folder / file_name(name, end)) for end in self.endings())

    def endings(self) -> list[str]:
        from ..apis.reconstruction import endings

        return endings(self.formats)

    def sheet(self, folder: Path) -> Path | None:
        """Writes all panels of the run as one contact sheet; None if there are none."""
        from ..io.files import png, write_whole
        from ..viz.contact import contact_sheet

        if not self.panels:
            return None
        name = SHEET
        while folder / f"{name}.png" in self.panels:  # a photo may be called so, too
            name += "-2"
        write_whole(folder / f"{name}.png", png(contact_sheet(self.panels)))
        return folder / f"{name}.png"


def face_name(name: str, number: int) -> str:
    """What the files of a photo's first, second ... face are called."""
    return name if number == 1 else f"{name}-face{number}"
