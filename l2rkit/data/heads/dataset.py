"""Synthetic heads with known depth, normals, albedo, light and view, as MMEngine datasets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from l2rkit.data.heads.capture import random_capture
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.person import random_person
from l2rkit.data.heads.render import BACKGROUND_DEPTH, person_head, render_head
from l2rkit.data.heads.row_store import Layout, RowStore
from l2rkit.errors import DataError, near

VERSION = 1
SPLITS = {"train": 0, "val": 1, "test": 2}
PHOTOS_PER_PERSON = 4
PEOPLE_PER_SPLIT = 10_000_000
SECONDS_EACH = {64: 0.025, 128: 0.06, 256: 0.2}  # per image on one core, roughly
NEAR, DEPTH_STEPS = np.float32(0.8), 65535  # depth on disk: uint16 from NEAR to BACKGROUND_DEPTH
FIELDS = ("img", "depth", "albedo", "normal", "light", "view")


class LazyHeads(BaseDataset):
    """`size` photos of synthetic heads, `photos_per_person` of each in a row.

    A sample before the pipeline is a dict of `person` (int, unique over the splits), `name`, and
    the selected `fields`:

    - `img`, `albedo` (H, W, 3) uint8 RGB; `normal` (H, W, 3) float32, unit, facing the camera;
    - `depth` (H, W) float32 in the photo's own view, 1.2 outside the head;
    - `light` (5,) ambient, diffuse, direction to the light in the camera's frame, not in the face's
      as in `l2rkit.structures`: the view's rotation, transposed, takes it there;
    - `view` (6,) rx, ry, rz, tx, ty, tz.

    A photo is rendered on first use, with the others of its person, and cached in `root`. Seed,
    split and index determine each photo, so a smaller set is the beginning of a larger one. Other
    `photos_per_person` give other photos of the same people, with their own cache.

    A subclass states its `version`, to be increased with any change of the pictures, which makes
    old caches invalid; the fields of a sample that are `known`; the `seconds` that an image takes
    by its size, roughly, on one core; its `layout_of` an image on disk; and its `images`.

    Raises:
        DataError: the split or a field is unknown, or a size or photos_per_person is below 1.
    """

    version: int
    known: tuple[str, ...]
    seconds: dict[int, float]
    suffix = ""  # of the cache's folder
    layout_of: Callable[[int], Layout]
    images: Callable[..., Iterator[dict]]

    def __init__(
        self,
        split: str = "train",
        size: int = 20_000,
        image_size: int = 64,
        seed: int = 0,
        root: str = "data/heads",
        fields: Sequence[str] = ("img",),
        pipeline: Sequence = (),
        photos_per_person: int = PHOTOS_PER_PERSON,
    ):
        counts = dict(size=size, image_size=image_size, photos_per_person=photos_per_person)
        check_arguments(type(self).__name__, self.known, split, fields, **counts)
        self.split, self.size, self.image_size, self.seed = split, size, image_size, seed
        self.fields, self.photos_per_person = tuple(fields), photos_per_person
        each = f"-{photos_per_person}each" if photos_per_person != PHOTOS_PER_PERSON else ""
        folder = f"v{self.version}-seed{seed}-{split}-{image_size}px{each}{self.suffix}"
        self.store = RowStore(Path(root, folder), self.layout_of(image_size))
        super().__init__(data_root=str(root), pipeline=list(pipeline))

    def load_data_list(self) -> list[dict]:
        """One small dict per image; prints the time that rendering all of them takes."""
        self.store.announce(self.size, self.image_size, self.seconds)
        each = self.photos_per_person
        return [
            dict(index=i, person=person_id(self.split, i, each), name=f"{self.split}-{i:06d}")
            for i in range(self.size)
        ]

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        index = info.pop("index")
        return info | read_row(self.store, index, self.fields, self._make)

    def _make(self, index: int) -> Iterator[tuple[int, dict]]:
        each = self.photos_per_person
        first = index // each * each
        photos = range(first, first + each)
        images = self.images(photos, self.seed, self.split, self.image_size, each)
        for photo, maps in zip(photos, images):
            yield photo, pack_row(self.store.layout, maps)


def check_arguments(
    name: str, known: Sequence[str], split: str, fields: Sequence[str], **least_one: int
) -> None:
    """Checks what all data sets of heads take; `name` is the data set's, `known` are its fields.

    Raises:
        DataError: the split or a field is unknown, or one of `least_one` is below 1.
    """
    if split not in SPLITS:
        raise DataError(f"{name} has no split '{split}'{near(split, SPLITS)}")
    for field in fields:
        if field not in known:
            raise DataError(f"{name} has no field '{field}'{near(field, known)}")
    for argument, number in least_one.items():
        if number < 1:
            raise DataError(f"{name}: {argument} is 1 or more, not {number}")


def person_id(split: str, index: int, each: int = PHOTOS_PER_PERSON) -> int:
    """The person on image `index` of a split with `each` photos per person."""
    return SPLITS[split] * PEOPLE_PER_SPLIT + index // each


def read_row(
    store: RowStore,
    number: int,
    fields: Sequence[str],
    make: Callable[[int], Iterable[tuple[int, dict]]],
) -> dict:
    """Some fields of a row, which `make` makes if missing; `mask` is found from stored fields."""
    stored = {*fields} | ({"depth", "occluder"} if "mask" in fields else set())
    row = store.get(number, sorted(stored - {"mask"}), make)
    sample = {field: unpack(field, array) for field, array in row.items()}
    if "mask" in fields:
        shown = (sample["depth"] < BACKGROUND_DEPTH) & (sample["occluder"] == 0)
        sample["mask"] = shown.astype(np.uint8)
    return {field: sample[field] for field in fields}


def pack_row(layout: Layout, maps: dict) -> dict:
    """A row for a store of this layout, from a dict of the same fields, see `make_images`."""
    return {field: pack(field, maps[field], dtype) for field, (_, dtype) in layout.items()}


def pack(field: str, array: np.ndarray, dtype: type = np.int8) -> np.ndarray:
    """A field's array on disk: colours uint8, depth uint16, normals `dtype`, others unchanged."""
    if field in ("img", "albedo"):
        return np.round(array * 255).astype(np.uint8)
    if field == "depth":
        return np.round((array - NEAR) / (BACKGROUND_DEPTH - NEAR) * DEPTH_STEPS).astype(np.uint16)
    if field == "normal":
        return np.round(array * np.iinfo(dtype).max).astype(dtype)
    return array


def unpack(field: str, array: np.ndarray) -> np.ndarray:
    """The inverse of `pack` for pipelines: colours stay uint8."""
    if field == "depth":
        depth = NEAR + array.astype(np.float32) * (
            (BACKGROUND_DEPTH - NEAR) / np.float32(DEPTH_STEPS)
        )
        return np.where(array == DEPTH_STEPS, BACKGROUND_DEPTH, depth)
    if field == "normal":
        normal = array.astype(np.float32)
        return normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.array(array)


def make_images(
    indices: Sequence[int], seed: int, split: str, size: int, each: int = PHOTOS_PER_PERSON
) -> Iterator[dict]:
    """For each index: a dict of `render_head`'s maps, `light` and `view`."""
    model, last = HeadModel.load(), None
    for index in indices:
        who = person_id(split, index, each)
        if who != last:
            last, person = who, random_person(model, np.random.default_rng([seed, 1, who]))
            head = person_head(model, person)
        capture = random_capture(model, np.random.default_rng([seed, 2, SPLITS[split], index]))
        maps = render_head(model, person, capture, size, head)
        yield dict(maps, light=capture.light, view=capture.view)


def layout_of(size: int) -> Layout:
    """{field: (shape, dtype)} on disk of a photo `size` px wide, see `pack`."""
    return dict(
        img=((size, size, 3), np.uint8),
        depth=((size, size), np.uint16),
        albedo=((size, size, 3), np.uint8),
        normal=((size, size, 3), np.int8),
        light=((5,), np.float32),
        view=((6,), np.float32),
    )


@DATASETS.register_module()
class SyntheticHeads(LazyHeads):
    """Version 1 of the heads, see `LazyHeads`."""

    version, known, seconds, suffix = VERSION, FIELDS, SECONDS_EACH, "-rows"
    layout_of, images = staticmethod(layout_of), staticmethod(make_images)
