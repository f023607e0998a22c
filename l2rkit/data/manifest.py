"""Photos listed in a CSV manifest, with person, split and landmarks of each.

    ROOT/manifest.csv       path,person,split,lx,ly,rx,ry,nx,ny,mlx,mly,mrx,mry
    ROOT/photos/...         the paths of the manifest

Only `path` is required. Landmarks are px of the upright picture, x right and y down, pixel centres
at integers: eyes, nose tip and mouth corners; l and r are the picture's left and right.
"""

import csv
import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
from mmengine.registry import DATASETS

from l2rkit.data.photo_set import MOST_DAMAGED, PhotoSet
from l2rkit.errors import DataError, near

LANDMARKS = ("lx", "ly", "rx", "ry", "nx", "ny", "mlx", "mly", "mrx", "mry")
LABELS = ("source", "colour")  # optional labels of a photo
TEXTS = ("path", "person", "split", *LABELS)
COLUMNS = (*TEXTS[:3], *LANDMARKS)
ROOT_VARIABLE = "OPENFACES_ROOT"
LOOKED_AT = 1000  # about as many photos are checked for existence at the start
AT_ONCE = 500  # rows; the strings of thousands do not fit the processor's cache


@DATASETS.register_module()
class ManifestPhotos(PhotoSet):
    """The photos of one split of a manifest; samples have `img_path` and `name`, the listed path.

    If the manifest has the columns, they also have `person`, the index of the name among all sorted
    names of the manifest; `source`; `colour`, 0 or 1; and `landmarks` (5, 2) px, for the transform
    CropByLandmarks.

    Args:
        data_root: folder of the paths; default: the environment variable OPENFACES_ROOT.
        split: a value of the column `split`, or several; default: all rows.
        manifest: path below data_root, or an absolute one.
        columns: the manifest's names of our columns, such as dict(path="file", person="subject").

    Raises:
        DataError: the manifest is missing or malformed, a split or column is unknown, or photos
            are missing.
    """

    def __init__(
        self,
        data_root: str | None = None,
        split: str | Sequence[str] | None = None,
        manifest: str = "manifest.csv",
        columns: dict[str, str] | None = None,
        pipeline: Sequence = (),
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        root = data_root or os.environ.get(ROOT_VARIABLE)
        if not root:
            raise DataError(
                f"ManifestPhotos requires data_root or the environment variable {ROOT_VARIABLE}; "
                "got neither"
            )
        for key in columns or {}:
            if key not in (*COLUMNS, *LABELS):
                raise DataError(f"ManifestPhotos: columns has no '{key}'{near(key, COLUMNS)}")
        self.split, self.columns = split, dict(columns or {})
        self.manifest = Path(root, manifest)
        super().__init__(
            data_root=str(root), pipeline=list(pipeline), indices=indices, test_mode=test_mode,
            serialize_data=False,
        )  # fmt: skip

    def load_data_list(self) -> list[int]:
        """The row numbers of the split. Values are kept in arrays, as rows may be a million."""
        with _no_collection():
            return self._read()

    def _read(self) -> list[int]:
        table = read_manifest(self.manifest, self.columns)
        paths, people, splits = (table.get(key) for key in ("path", "person", "split"))
        landmarks = table.get("landmarks")
        _check_unique(self.manifest, paths, landmarks)
        if people is not None:
            number = {name: index for index, name in enumerate(sorted(set(people)))}
            people = np.fromiter(map(number.__getitem__, people), np.int64, len(people))
        self.paths = np.array([path.encode() for path in paths])
        self.person, self.landmarks = people, landmarks
        self.source, self.colour = (
            None if values is None else np.array(values)
            for values in (table.get("source"), table.get("colour"))
        )
        if self.colour is not None and not set(self.colour) <= {"0", "1"}:
            raise DataError(f"manifest '{self.manifest}': colour is 0 or 1 for each photo")
        rows = list(range(len(paths)))
        if self.split is not None:
            if splits is None:
                raise DataError(f"manifest '{self.manifest}' has no column for split")
            chosen = {self.split} if isinstance(self.split, str) else set(self.split)
            known = set(splits)
            if absent := sorted(map(str, chosen - known)):
                what = f"manifest '{self.manifest}' has no split '{absent[0]}'"
                raise DataError(what + near(absent[0], known))
            rows = [row for row, split in enumerate(splits) if split in chosen]
        self._check_there(rows)
        return rows

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        row = self.data_list[idx]
        name = self.paths[row].decode()
        info = dict(img_path=os.path.join(self.data_root, name), name=name)
        info["sample_idx"] = idx % len(self.data_list)
        if self.person is not None:
            info["person"] = int(self.person[row])
        if self.source is not None:
            info["source"] = str(self.source[row])
        if self.colour is not None:
            info["colour"] = int(self.colour[row])
        if self.landmarks is not None:
            info["landmarks"] = self.landmarks[row].reshape(5, 2).copy()
        return info

    def people(self) -> np.ndarray | None:
        """(len,): the person of each photo, or None."""
        return None if self.person is None else self.person[self.data_list]

    def _check_there(self, rows: list[int]) -> None:
        """Checks that some photos exist, to detect a wrong root; 1 % may be missing."""
        some = rows[:: max(1, len(rows) // LOOKED_AT)]
        names = [self.paths[row].decode() for row in some]
        absent = [name for name in names if not os.path.isfile(os.path.join(self.data_root, name))]
        if len(absent) > MOST_DAMAGED * len(some):
            raise DataError(
                f"manifest '{self.manifest}': {len(absent)} of {len(some)} photos looked for are "
                f"not below '{self.data_root}', such as '{absent[0]}'"
            )


def read_manifest(path: Path, columns: dict[str, str] | None = None) -> dict:
    """{path, person, split, source, colour: lists of str; landmarks: (N, 10) float32}, if present.

    columns: the file's names that differ from ours; a given one must be in the file.

    Raises:
        DataError: the file is missing or malformed.
    """
    if not path.is_file():
        raise DataError(f"manifest '{path}': no such file")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            place = _places(path, header, columns or {})
            return _read_rows(path, reader, len(header), place)
    except UnicodeDecodeError as problem:
        raise DataError(f"manifest '{path}' is not UTF-8 (byte {problem.start})") from problem
    except csv.Error as problem:
        raise DataError(f"manifest '{path}' is not CSV ({problem})") from problem


def _places(path, header, columns) -> dict[str, int]:
    """{our name: position in the header}."""
    names = {ours: columns.get(ours, ours) for ours in (*COLUMNS, *LABELS)}
    required = {"path", *columns}
    if any(names[ours] in header for ours in LANDMARKS):
        required |= set(LANDMARKS)  # all ten or none
    for ours in (*COLUMNS, *LABELS):
        count = header.count(names[ours])
        if count > 1 or (count == 0 and ours in required):
            what = "has no" if not count else f"has {count} times the"
            hint = "" if count else near(names[ours], header)
            raise DataError(f"manifest '{path}' {what} column '{names[ours]}'{hint}")
    return {ours: header.index(names[ours]) for ours in names if names[ours] in header}


def _read_rows(path, reader, width, place) -> dict:
    texts = {ours: [] for ours in TEXTS if ours in place}
    points, done = [], 0
    while rows := list(islice(reader, AT_ONCE)):
        if set(map(len, rows)) != {width}:
            index = next(i for i, row in enumerate(rows) if len(row) != width)
            got = len(rows[index])
            raise DataError(f"manifest '{path}' row {done + index + 1} has {got} of {width} fields")
        fields = list(zip(*rows))
        for ours, values in texts.items():
            values += fields[place[ours]]
        if "lx" in place:
            points.append(_numbers(path, done, fields, place))
        done += len(rows)
    if not done:
        raise DataError(f"manifest '{path}' has no rows")
    for ours in ("path", "person"):
        if "" in texts.get(ours, ()):
            row = texts[ours].index("") + 1
            raise DataError(f"manifest '{path}' row {row} has an empty {ours}")
    return {**texts, "landmarks": np.concatenate(points)} if points else texts


def _numbers(path, done, fields, place) -> np.ndarray:
    """(rows, 10) float32: the landmarks of some rows."""
    count = len(fields[0])
    out = np.empty((count, 10), np.float32)
    for column, ours in enumerate(LANDMARKS):
        values = fields[place[ours]]
        try:
            out[:, column] = np.fromiter(map(float, values), np.float64, count)
        except ValueError:
            row = next(i for i, value in enumerate(values) if not _is_number(value))
            raise DataError(
                f"manifest '{path}' row {done + row + 1}: {ours} is not a number: {values[row]!r}"
            ) from None
    if not np.isfinite(out).all():
        row = int(np.argwhere(~np.isfinite(out).all(1))[0, 0])
        raise DataError(f"manifest '{path}' row {done + row + 1}: a landmark is not finite")
    return out


@contextmanager
def _no_collection() -> Iterator[None]:
    """A context without garbage collection, which would double the time for millions of strings."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_unique(path, names, landmarks) -> None:
    """Raises DataError if a photo is listed twice with the same landmarks."""
    if len(set(names)) == len(names):
        return
    seen = {}
    for row, name in enumerate(names):
        key = (name, b"" if landmarks is None else landmarks[row].tobytes())
        if key in seen:
            first = seen[key] + 1
            raise DataError(f"manifest '{path}' has '{name}' twice, in rows {first} and {row + 1}")
        seen[key] = row
