"""The shipped manifest of the photo pack openfaces; the photos are not shipped.

`tools/dataset_converters/openfaces.py` builds the photos from their four public sources.
`docs/datasets.md` describes the columns and the terms.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from l2rkit.errors import DataError, near

MANIFEST = Path(__file__).with_name("manifest.csv.gz")
GREY = "grey"  # the column that only the shipped manifest has
CELLS = 4  # the manifest has the mean grey of a crop's 4 x 4 equal cells
FACE = ("face_x", "face_y", "face_w", "face_h")
MARGIN = 0.7  # of crops around the face box, in its width or height
ROUNDING = 0.2  # px; the manifest gives the face box to 0.1
MOST_BYTES = 50_000_000  # of a manifest, unpacked; the shipped one has 1.4 million
UNLIKE = 2.0  # grey levels of 255, root mean square; a larger error means another picture


@dataclass(frozen=True)
class Source:
    """A source of photos: its address, and the longest side of its crops in px."""

    address: str
    longest: int


SOURCES = {
    "voteview": Source("github.com/voteview/member_photos", 256),
    "twfy": Source("github.com/mysociety/theyworkforyou", 160),
    "london": Source("doi.org/10.6084/m9.figshare.5047666.v5", 512),
    "faker": Source("github.com/faker-js/assets-person-portrait", 512),
}


@dataclass(frozen=True)
class CropRow:
    """A row of the manifest: a crop and its place in the source picture.

    path: below the pack; origin: below the source. touches: whether the crop's left, right, top and
    bottom edge is the picture's. scaled: whether the crop may be downsampled. grey: (16,), mean
    grey 0..255 of 4 x 4 cells, row by row. fields: the row's text.
    """

    path: str
    source: str
    origin: str
    width: int
    height: int
    touches: tuple[bool, bool, bool, bool]
    scaled: bool
    grey: np.ndarray
    fields: dict[str, str]


def read_rows(path: Path | None = None) -> list[CropRow]:
    """The rows of the shipped manifest, or of another one with the same columns.

    Raises:
        DataError: it cannot be read, a row is malformed, or a path leads out of its folder.
    """
    path = path or MANIFEST
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DataError(f"manifest '{path}' has more than {MOST_BYTES} bytes")
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        lines = list(reader)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"manifest '{path}' cannot be read ({problem})") from problem
    header = reader.fieldnames or ()
    for column in ("path", "source", "origin", "width", "height", *FACE, GREY):
        if column not in header:
            raise DataError(f"manifest '{path}' has no column '{column}'{near(column, header)}")
    rows = []
    for number, fields in enumerate(lines, 1):
        try:
            rows.append(_row(fields))
        except ValueError as problem:
            raise DataError(f"manifest '{path}' row {number}: {problem}") from problem
    if len({row.path for row in rows}) < len(rows):
        raise DataError(f"manifest '{path}' has a path twice")
    return rows


def manifest_text(rows: Sequence[CropRow]) -> str:
    """The text of the pack's manifest.csv: these rows without the column of greys."""
    file = io.StringIO(newline="")
    names = [name for name in rows[0].fields if name != GREY] if rows else ["path"]
    writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.fields for row in rows)
    return file.getvalue()


def grey_cells(photo: np.ndarray) -> np.ndarray:
    """(16,): mean grey 0..255 of the 4 x 4 equal cells of a (H, W, 3) uint8 photo, row by row."""
    return cell_means(summed(photo), _whole_box(photo))[0]


def looks_like(photo: np.ndarray, row: CropRow) -> bool:
    """Whether a (H, W, 3) uint8 photo has the greys of the row's crop."""
    return float(grey_errors(summed(photo), _whole_box(photo), row)[0]) <= UNLIKE


def summed(photo: np.ndarray) -> np.ndarray:
    """(H + 1, W + 1): the integral image of grey."""
    grey = photo @ np.array([0.299, 0.587, 0.114])
    return np.pad(grey.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def cell_means(sums: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N, 16): mean grey of the 4 x 4 cells of boxes (N, 4), x0 y0 x1 y1 in fractional px."""
    parts = np.linspace(0, 1, CELLS + 1)
    x = boxes[:, :1] + parts * (boxes[:, 2:3] - boxes[:, :1])
    y = boxes[:, 1:2] + parts * (boxes[:, 3:] - boxes[:, 1:2])
    x, y = np.clip(x, 0, sums.shape[1] - 1), np.clip(y, 0, sums.shape[0] - 1)
    left = np.minimum(x.astype(int), sums.shape[1] - 2)
    top = np.minimum(y.astype(int), sums.shape[0] - 2)
    right_share, low_share = (x - left)[:, None, :], (y - top)[:, :, None]
    left, top = left[:, None, :], top[:, :, None]
    above = sums[top, left] * (1 - right_share) + sums[top, left + 1] * right_share
    below = sums[top + 1, left] * (1 - right_share) + sums[top + 1, left + 1] * right_share
    corner = above * (1 - low_share) + below * low_share
    cells = np.diff(np.diff(corner, axis=1), axis=2)
    areas = np.diff(y, axis=1)[:, :, None] * np.diff(x, axis=1)[:, None, :]
    return (cells / np.maximum(areas, 1e-9)).reshape(len(boxes), -1)


def grey_errors(sums: np.ndarray, boxes: np.ndarray, row: CropRow) -> np.ndarray:
    """(N,): root mean square error of the boxes' cell means to the row's, in grey levels of 255."""
    return np.sqrt(np.mean((cell_means(sums, boxes) - row.grey) ** 2, axis=1))


def _whole_box(photo: np.ndarray) -> np.ndarray:
    return np.array([[0.0, 0.0, *photo.shape[1::-1]]])


def _row(fields: dict) -> CropRow:
    if None in fields or None in fields.values():
        raise ValueError("it has too many or too few fields")
    for column in ("path", "origin"):
        _check_inside(column, fields[column])
    source = fields["source"]
    if source not in SOURCES:
        raise ValueError(f"there is no source '{source}'{near(source, SOURCES)}")
    longest = SOURCES[source].longest
    width, height = int(fields["width"]), int(fields["height"])
    if not (min(width, height) >= 8 and max(width, height) <= longest):
        raise ValueError(f"{width} x {height} px are not within 8 to {longest}")
    x, y, face_w, face_h = (float(fields[name]) for name in FACE)
    if not np.isfinite([x, y, face_w, face_h]).all():
        raise ValueError("the face box is not finite")
    gaps = ((x, face_w), (width - x - face_w, face_w), (y, face_h), (height - y - face_h, face_h))
    grey = np.frombuffer(bytes.fromhex(fields[GREY]), np.uint8).astype(float)
    if len(grey) != CELLS**2:
        raise ValueError(f"{GREY} has {len(grey)} bytes; expected {CELLS**2}")
    return CropRow(
        fields["path"], source, fields["origin"], width, height,
        tuple(gap < MARGIN * face - ROUNDING for gap, face in gaps),
        max(width, height) == longest, grey, fields,
    )  # fmt: skip


def _check_inside(column: str, text: str) -> None:
    """Raises ValueError for a path out of the folder: a manifest may be hostile."""
    parts = PurePosixPath(text).parts
    wrong = not parts or text.startswith("/") or ".." in parts
    if wrong or any(sign in text for sign in '\\:*?"<>|') or not text.isprintable():
        raise ValueError(f"{column} {text!r} is not a path below a folder")
