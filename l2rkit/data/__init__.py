"""Photos in, samples out: one line per part."""

from l2rkit.data.align import FaceAligner, NoFaceError
from l2rkit.data.celeba import CelebA
from l2rkit.data.folder import PhotoFolder
from l2rkit.data.heads import SyntheticHeads
from l2rkit.data.pairs import DepthPairs
from l2rkit.data.photo import PhotoError, list_photos, photo_size, read_photo
from l2rkit.data.transforms import (
    CentreCrop,
    CropBox,
    Degrade,
    FlipFace,
    LoadPhoto,
    PackPhoto,
    ResizeFace,
)

__all__ = [
    "CelebA",
    "CentreCrop",
    "CropBox",
    "Degrade",
    "DepthPairs",
    "FaceAligner",
    "FlipFace",
    "LoadPhoto",
    "NoFaceError",
    "PackPhoto",
    "PhotoError",
    "PhotoFolder",
    "ResizeFace",
    "SyntheticHeads",
    "list_photos",
    "photo_size",
    "read_photo",
]
