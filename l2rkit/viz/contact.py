"""A contact sheet of all photos of a run."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .panel import TILE, TITLES

SHOWN = ("photo", "+0 deg", "-45 deg", "+45 deg")  # columns of a panel
GAP = 8  # px between faces


def contact_sheet(panels: Sequence[Path]) -> Image.Image:
    """Photo, frontal view, left and right side of each face, from panels of `l2rkit.viz.panel`.

    The sheet is about as wide as high.
    """
    across = max(1, round(math.sqrt(len(panels) / len(SHOWN))))
    width, height = len(SHOWN) * TILE + GAP, TILE + GAP
    rows = -(-len(panels) // across)
    sheet = Image.new("RGB", (across * width - GAP, max(1, rows * height - GAP)), "white")
    for number, path in enumerate(panels):
        row, column = divmod(number, across)
        with Image.open(path) as panel:
            sheet.paste(strip(panel), (column * width, row * height))
    return sheet


def strip(panel: Image.Image) -> Image.Image:
    """The columns `SHOWN` of a panel of one face, without titles."""
    pixels = np.asarray(panel.convert("RGB"))[-TILE:]
    places = [TITLES.index(title) * TILE for title in SHOWN]
    return Image.fromarray(np.concatenate([pixels[:, x : x + TILE] for x in places], 1))
