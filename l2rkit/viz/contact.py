"""All photos of a run on one picture."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .panel import TILE, TITLES

SHOWN = ("photo", "+0 deg", "-45 deg", "+45 deg")  # of the columns of a panel
GAP = 8  # pixels between faces


def contact_sheet(panels: Sequence[Path]) -> Image.Image:
    """For each panel that `l2rkit.viz.panel` drew of a face: photo, front, left and right side.

    Row by row, about as wide as high.
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
    """The columns of a panel of one face that are shown, without titles."""
    pixels = np.asarray(panel.convert("RGB"))[-TILE:]
    places = [TITLES.index(title) * TILE for title in SHOWN]
    return Image.fromarray(np.concatenate([pixels[:, x : x + TILE] for x in places], 1))
