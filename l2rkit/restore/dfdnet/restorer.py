"""The restorer: extract, exchange, decode."""

from pathlib import Path

from torch import Tensor, nn

from ...errors import PartError, WeightsError
from ...io.weights import load_into, read_weights
from ...ops.resize import resized
from ...registry import RESTORERS
from ..shipped import load_shipped
from .components import template, windows
from .dictionary import Dictionary
from .features import CHANNELS, STRIDES, PyramidFeatures
from .network import Decoder, Exchange

WHOLE = 128  # px; for its multiples all boxes are whole numbers of cells


@RESTORERS.register_module()
class DFDNet(nn.Module):
    """The aligned face (B, 3, H, W) restored, (B, 3, image_size, image_size), in [0, 1].

    Photos are first resized to `image_size`; they must be aligned as by `FaceAligner`. This is a
    small DFDNet trained by us: its figures say nothing about the published one.

    Args:
        weights: name of a shipped file or a path, with network and dictionary, which stay frozen;
            None starts at random, to be trained.
        dictionary: for a random start, the file of `tools/builders/build_dictionary.py`; without it
            the atoms are noise.
        atoms: how many there are of each component at each scale.
        width: channels of the finest layers; the coarser ones have up to three times as many.
        image_size: px, a multiple of 128.
    """

    aligned = True  # the input must be an aligned face

    def __init__(
        self,
        weights: str | None = "dfdnet",
        dictionary: str | None = None,
        atoms: int = 64,
        width: int = 32,
        image_size: int = 128,
    ) -> None:
        super().__init__()
        if image_size < WHOLE or image_size % WHOLE:
            raise PartError(f"DFDNet: image_size is a multiple of {WHOLE} px, not {image_size}")
        if atoms < 1 or width < 2:
            raise PartError(f"DFDNet: atoms >= 1 and width >= 2, not {atoms} and {width}")
        if weights and dictionary:
            raise PartError(
                f"DFDNet: weights '{weights}' bring their dictionary; '{dictionary}' is too much"
            )
        self.image_size = image_size
        self.features = PyramidFeatures()
        self.dictionary = Dictionary(atoms, image_size)
        self.exchange = nn.ModuleList(map(Exchange, CHANNELS))
        self.decode = Decoder(width)
        if dictionary:
            load_into(self.dictionary, read_dictionary(dictionary), dictionary)
        if weights:
            load_shipped(self, weights)

    def forward(self, photo: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """landmarks (B, 5, 2): px in a crop of `image_size`, in the order of
        `l2rkit.data.align.TEMPLATE`, which is the default."""
        size = self.image_size
        photo = resized(photo, (size, size), "bicubic").clamp(0, 1)
        if landmarks is None:
            landmarks = template(size).to(photo.device)
        maps = [
            exchange(seen, windows(landmarks, size, stride), self.dictionary, stride)
            for exchange, seen, stride in zip(self.exchange, self.features(photo), STRIDES)
        ]
        return (photo + self.decode(maps, photo).float()).clamp(0, 1)


def read_dictionary(path: str) -> dict[str, Tensor]:
    """The atoms in a file.

    Raises:
        WeightsError: it is missing or incomplete.
    """
    if not Path(path).is_file():
        raise WeightsError(
            f"no dictionary at {path}: `python tools/builders/build_dictionary.py` makes one"
        )
    return read_weights(path)
