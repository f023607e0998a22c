"""Data sets, pipeline steps, and readers and aligners of photos."""

from l2rkit.data.align import FaceAligner, NoFaceError
from l2rkit.data.celeba import CelebA
from l2rkit.data.celebahq import CelebAHQ
from l2rkit.data.ffhq import FFHQ
from l2rkit.data.folder import PhotoFolder
from l2rkit.data.heads import DetailedHeads, DetailedTurnedHeads, SyntheticHeads, TurnedHeads
from l2rkit.data.landmarks import FindLandmarks
from l2rkit.data.manifest import ManifestPhotos
from l2rkit.data.normal_pairs import NormalPairs
from l2rkit.data.pairs import DepthPairs
from l2rkit.data.people import EachAlone, PersonSampler, PhotoCollections
from l2rkit.data.photo import PhotoError, list_photos, photo_size, read_photo
from l2rkit.data.photo_set import PhotoSet
from l2rkit.data.scans import TexturedScans
from l2rkit.data.transforms import (
    CentreCrop,
    CropBox,
    CropByLandmarks,
    Degrade,
    FlipFace,
    LoadPhoto,
    PackPhoto,
    ResizeFace,
)

__all__ = [
    "FFHQ",
    "CelebA",
    "CelebAHQ",
    "CentreCrop",
    "CropBox",
    "CropByLandmarks",
    "Degrade",
    "DepthPairs",
    "DetailedHeads",
    "DetailedTurnedHeads",
    "EachAlone",
    "FaceAligner",
    "FindLandmarks",
    "FlipFace",
    "LoadPhoto",
    "ManifestPhotos",
    "NoFaceError",
    "NormalPairs",
    "PackPhoto",
    "PersonSampler",
    "PhotoCollections",
    "PhotoError",
    "PhotoFolder",
    "PhotoSet",
    "ResizeFace",
    "SyntheticHeads",
    "TexturedScans",
    "TurnedHeads",
    "list_photos",
    "photo_size",
    "read_photo",
]
