"""The mean person's code, which identity networks subtract."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..data import CropByLandmarks, LoadPhoto, ManifestPhotos
from ..data.transforms import to_tensor
from .face_embedding import FaceEmbedding
from .face_res import FaceRes

CROP = 128  # px
AT_ONCE = 32  # photos


def train_crops(root: str | None = None, split: str = "train") -> Iterator[Tensor]:
    """(B, 3, 128, 128) batches of the aligned photos of a manifest's split, in order.

    root: the manifest's folder; default: the environment variable OPENFACES_ROOT.
    """
    photos = ManifestPhotos(root, split, pipeline=[LoadPhoto(), CropByLandmarks(CROP)])
    starts = range(0, len(photos), AT_ONCE)
    return (stacked(photos, range(at, min(at + AT_ONCE, len(photos)))) for at in starts)


def stacked(photos: ManifestPhotos, rows: range) -> Tensor:
    """(B, 3, S, S): the cropped photos of these rows."""
    return torch.stack([to_tensor(photos[row]["img"]) for row in rows])


@torch.no_grad()
def mean_code(network: FaceEmbedding | FaceRes, crops: Iterator[Tensor]) -> Tensor:
    """(D,): the mean over crops (B, 3, S, S) of raw codes normalized to unit length."""
    return torch.cat([normalize(network.raw(some), dim=1) for some in crops]).mean(0)
