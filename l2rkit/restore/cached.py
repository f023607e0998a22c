"""A restorer that caches its results on disk, for measuring many methods with it."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..io.files import write_atomic
from ..io.weights import weights_digest
from ..ops.resize import resized


class CachedRestorer(nn.Module):
    """The photo (B, 3, H, W) restored by `restore`, at its original size; cached in `folder`.

    The key is the photo's pixels, the restorer's description and weights, and the precision.
    Several processes may use one folder.

    Args:
        restore: the restorer.
        about: a description that identifies the restorer.
        folder: created if missing; needs 12 bytes per pixel of each photo.
    """

    def __init__(self, restore: nn.Module, about: str, folder: str | Path) -> None:
        super().__init__()
        self.restore, self.folder = restore, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.known = weights_digest(about, restore)

    def forward(self, photo: Tensor) -> Tensor:
        places = [self._place(one) for one in photo]
        new = [i for i, place in enumerate(places) if not self._whole(place, photo[i])]
        if new:
            made = resized(self.restore(photo[new]).float(), tuple(photo.shape[2:]), "area")
            for i, one in zip(new, made.cpu().numpy()):
                write_atomic(places[i], one.tobytes())
        kept = np.stack([np.fromfile(place, np.float32) for place in places])
        return torch.from_numpy(kept).view(photo.shape).to(photo.device)

    @staticmethod
    def _whole(place: Path, photo: Tensor) -> bool:
        """Whether a file holds a photo of this size; a crash of the machine may leave it empty."""
        return place.exists() and place.stat().st_size == 4 * photo.numel()

    def _place(self, photo: Tensor) -> Path:
        kind = photo.device.type
        precision = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind)
        known = sha256(self.known)
        known.update(f"{tuple(photo.shape)} {photo.dtype} {precision}".encode())
        known.update(photo.cpu().contiguous().numpy().tobytes())
        return self.folder / known.hexdigest()
