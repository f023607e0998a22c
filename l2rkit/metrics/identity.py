"""Whether two photos show the same person, as dlib's face recogniser sees it. For evaluation only.

The network is Davis King's, of dlib 19 (2017): 29 convolutions, trained on about 3 million photos
of 7,485 people (FaceScrub, VGG Face and the web) so that two photos of one person lie within 0.6.
He has given its file to the public domain; `face-recognition-models` ships it under CC0 1.0. Other
files in that package have terms of their own and are not used here.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..data.align import TEMPLATE, fit_similarity, warp
from ..errors import PartError, WeightsError

PACKAGE = "face_recognition_models"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
CHIP = 150  # px of the square that the network takes
PADDING = 0.25  # around dlib's box of the face, of its width

# The middles of the eyes in dlib's box of the face: means of the eye corners in its template.
EYES = np.array([[0.2273, 0.2214], [0.7528, 0.2212]])


class DlibIdentity:
    """(B, 128) float32 codes of unit length of aligned crops (B, 3, S, S) in [0, 1], on the CPU.

    The cosine of two codes says how alike two people are. Codes lie in a narrow cone: strangers
    have about 0.84, not 0. Measured (ours) on two photos each of 112 people, 112 pairs of one
    person and 24,864 of strangers, and again with one photo of each pair made bad by `Level`:

        crop              one person   strangers     AUC
        128 px                 0.983       0.838    0.9999
        128 px, severe         0.929       0.844    0.993
         64 px                 0.982       0.836    0.9999
         64 px, x4             0.918       0.843    0.980
         64 px, severe         0.894       0.855    0.878

    Most pairs are of one studio, which makes this easy. A face takes 0.1 s or more of one core.

    Crops are those of `l2rkit.data.align`, which end above the chin's lower edge of dlib's; what
    is missing there repeats the crop's last row.

    Args:
        weights: dlib's file; left out, that of the package face-recognition-models is taken, of
            which nothing is run.
    """

    def __init__(self, weights: str | None = None) -> None:
        self.network = load(Path(weights or packaged_weights()))

    def __call__(self, photo: Tensor) -> Tensor:
        if photo.ndim != 4 or photo.shape[1] != 3 or photo.shape[2] != photo.shape[3]:
            raise PartError(f"DlibIdentity wants crops (B, 3, S, S), got {tuple(photo.shape)}")
        colours = (photo.detach().cpu().float().clamp(0, 1) * 255).round().byte()
        chips = [chip(image) for image in colours.movedim(1, 3).numpy()]
        codes = np.array(self.network.compute_face_descriptor(chips), np.float32)
        return normalize(torch.from_numpy(codes.reshape(-1, 128)), dim=1)


def chip(crop: np.ndarray) -> np.ndarray:
    """(150, 150, 3) uint8: an aligned crop (S, S, 3) uint8 as dlib would have cut the face.

    Only the eyes are matched; dlib's other points are not among ours.
    """
    there = (EYES + PADDING) / (1 + 2 * PADDING) * CHIP - 0.5
    matrix = fit_similarity(TEMPLATE[:2] * len(crop) - 0.5, there)
    return np.ascontiguousarray(warp(np.ascontiguousarray(crop), matrix, CHIP))


def packaged_weights() -> Path:
    """Where face-recognition-models keeps dlib's file.

    Raises:
        PartError: it is not installed.
    """
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    found = [Path(place, "models", FILE) for place in places or ()]
    if not found or not found[0].is_file():
        raise PartError(
            "DlibIdentity finds no weights: `pip install face-recognition-models` brings them, "
            f"or name the file {FILE} as weights="
        )
    return found[0]


def load(path: Path) -> Any:
    """dlib's network with the weights in a file, which holds numbers only.

    Raises:
        PartError: dlib is not installed.
        WeightsError: the file is missing, or not this network's.
    """
    try:
        import dlib
    except ImportError:
        raise PartError(
            "DlibIdentity finds no package dlib: `pip install dlib-bin` brings it ready built"
        ) from None
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    try:
        return dlib.face_recognition_model_v1(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(f"{path} is not dlib's face recogniser ({reason})") from None
