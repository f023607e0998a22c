"""The common part of photo sets: a few damaged photos are replaced, many raise an error."""

from logging import WARNING

import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from l2rkit.data.photo import PhotoError
from l2rkit.errors import DataError

MOST_DAMAGED = 0.01  # as a share of all photos; more mean a broken copy of the data set


class PhotoSet(BaseDataset):
    """An MMEngine dataset that replaces unusable photos by others.

    Each unusable photo is reported once, in one line, and marked in `damaged` (len,) bool, which
    the workers of a data loader share. If more than 1 % of the set are unusable, DataError is
    raised.
    """

    def full_init(self) -> None:
        """Reads the lists and creates `damaged`, before workers are forked."""
        super().full_init()
        self.damaged = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def __getitem__(self, idx: int) -> dict:
        """Sample `idx` after the pipeline, or that of its `stand_in` if the photo is unusable."""
        if idx < 0:
            idx += len(self)
        while True:
            try:
                return super().__getitem__(idx)
            except PhotoError as error:
                self.note_damage(idx, error)
            idx = self.stand_in(idx)

    def stand_in(self, idx: int) -> int:
        """The index of the next photo that is not marked as damaged."""
        sound = (~self.damaged).nonzero()[:, 0]
        return int(sound[int((sound < idx).sum()) % len(sound)])

    def note_damage(self, idx: int, error: PhotoError) -> None:
        """Marks photo `idx` and reports it the first time. Raises DataError if it is too many."""
        if len(self.damaged) != len(self):  # a subset starts its own count
            self.damaged = torch.zeros(len(self), dtype=torch.bool)
        new = not self.damaged[idx]
        self.damaged[idx] = True
        count, name = int(self.damaged.sum()), type(self).__name__
        if count > MOST_DAMAGED * len(self):
            raise DataError(
                f"{name}: {count} of {len(self)} photos are unusable so far, more than "
                f"{MOST_DAMAGED:.0%}; the last one: {error}"
            ) from error
        if new:
            text = f"{name}: {error}; another stands in for it ({count} unusable so far)"
            print_log(text, logger="current", level=WARNING)
