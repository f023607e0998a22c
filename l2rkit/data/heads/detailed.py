"""Version 2 of the synthetic heads: photographic skin, fine relief, occluders; made lazily."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from l2rkit.data.heads.character import random_character, texture_side
from l2rkit.data.heads.dataset import (
    PHOTOS_PER_PERSON,
    SPLITS,
    check_arguments,
    pack_row,
    person_id,
    read_row,
)
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.row_store import Layout, RowStore

VERSION = 2  # increase it with any change of the pictures, which makes old caches invalid
PERSON_DRAWS, SCENE_DRAWS = 11, 12  # seeds other than version 1's
FIELDS = ("img", "depth", "albedo", "normal", "light", "view", "occluder", "mask")
SECONDS_EACH = {64: 0.015, 128: 0.05, 256: 0.18}  # per image on one core, roughly


@DATASETS.register_module()
class DetailedHeads(BaseDataset):
    """`size` photos of heads with photographic or painted skin and fine relief.

    A sample before the pipeline is a dict of `person` (int, unique over the splits), `name`, and
    the selected `fields`:

    - `img`, `albedo` (H, W, 3) uint8 RGB; `normal` (H, W, 3) float32, unit, facing the camera;
    - `depth` (H, W) float32 in the photo's own view, 1.2 outside the head;
    - `light` (5,) ambient, diffuse, direction to the light in the camera's frame, not in the face's
      as in `l2rkit.structures`: the view's rotation, transposed, takes it there;
    - `view` (6,) rx, ry, rz, tx, ty, tz;
    - `occluder` (H, W) uint8, 1 where glasses, hair, a beard or a hat hide the head;
    - `mask` (H, W) uint8, 1 where the photo shows the head itself.

    Depth, normals and albedo are the head's own, also behind occluders. Skins of a split are mixed
    from that split's portraits only. `photos_per_person` photos of each person follow one another.

    A photo is rendered on first use, with the others of its person, and cached in `root`. Seed,
    split and index determine each photo, so a smaller set is the beginning of a larger one.

    A head that is turned to a side moves to that side, as the camera stands still.

    Raises:
        DataError: the split or a field is unknown, or size or photos_per_person is below 1.
    """

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
        counts = dict(size=size, photos_per_person=photos_per_person)
        check_arguments("DetailedHeads", FIELDS, split, fields, **counts)
        self.split, self.size, self.image_size, self.seed = split, size, image_size, seed
        self.fields, self.photos_per_person = tuple(fields), photos_per_person
        each = f"-{photos_per_person}each" if photos_per_person != PHOTOS_PER_PERSON else ""
        folder = Path(root) / f"v{VERSION}-seed{seed}-{split}-{image_size}px{each}"
        self.store = RowStore(folder, layout_of(image_size))
        super().__init__(data_root=str(root), pipeline=list(pipeline))

    def load_data_list(self) -> list[dict]:
        """One small dict per image; prints the time that rendering all of them takes."""
        self.store.announce(self.size, self.image_size, SECONDS_EACH)
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
        images = detailed_images(photos, self.seed, self.split, self.image_size, each)
        for photo, maps in zip(photos, images):
            yield photo, pack_row(self.store.layout, maps)


def detailed_images(
    indices: Sequence[int], seed: int, split: str, size: int, each: int = PHOTOS_PER_PERSON
) -> Iterator[dict]:
    """For each index: a dict of `render_portrait`'s maps, `light` and `view`."""
    model, last = HeadModel.load(), None
    for index in indices:
        who = person_id(split, index, each)
        if who != last:
            last, draws = who, np.random.default_rng([seed, PERSON_DRAWS, who])
            person = random_character(model, draws, split, texture_side(size))
        draws = np.random.default_rng([seed, SCENE_DRAWS, SPLITS[split], index])
        capture = random_portrait_capture(model, draws)
        yield dict(
            render_portrait(model, person, capture, size), light=capture.light, view=capture.view
        )


def layout_of(size: int) -> Layout:
    """{field: (shape, dtype)} on disk of a photo `size` px wide; normals int16, for fine relief."""
    return dict(
        img=((size, size, 3), np.uint8),
        depth=((size, size), np.uint16),
        albedo=((size, size, 3), np.uint8),
        normal=((size, size, 3), np.int16),
        light=((5,), np.float32),
        view=((6,), np.float32),
        occluder=((size, size), np.uint8),
    )
