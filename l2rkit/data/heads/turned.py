"""The same synthetic face in several views, for cross-view evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from l2rkit.data.heads.capture import random_capture
from l2rkit.data.heads.dataset import (
    FIELDS,
    PEOPLE_PER_SPLIT,
    SPLITS,
    VERSION,
    make_chunks,
    sample_of,
    write_chunk,
)
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.person import random_person
from l2rkit.data.heads.render import person_head, render_head
from l2rkit.data.heads.store import ChunkStore
from l2rkit.errors import DataError, near

CHUNK = 10  # people
SCENES = 3  # a seed other than those of `SyntheticHeads`


@DATASETS.register_module()
class TurnedHeads(BaseDataset):
    """`people` of a split of `SyntheticHeads`, one photo of each in every view, cached.

    A person has the same expression, light and background in all views. The head turns about the
    vertical by `yaws_deg`; the light does not turn. Samples are those of `SyntheticHeads`, named
    `SPLIT-NUMBER+45`; the views of a person follow one another. They have no `person`, as methods
    of photo sets would process all views together.

    Seed, split and number of the person determine the photos, so a smaller set is the beginning of
    a larger one, and other views show the same faces.

    Raises:
        DataError: the split or a field is unknown, or yaws are not different whole numbers.
    """

    def __init__(
        self,
        split: str = "test",
        people: int = 100,
        image_size: int = 64,
        yaws_deg: Sequence[int] = (-45, 0, 45),
        seed: int = 0,
        root: str = "data/heads",
        fields: Sequence[str] = ("img", "depth", "view"),
        pipeline: Sequence = (),
    ):
        if split not in SPLITS:
            raise DataError(f"TurnedHeads has no split '{split}'{near(split, SPLITS)}")
        for field in fields:
            if field not in FIELDS:
                raise DataError(f"TurnedHeads has no field '{field}'{near(field, FIELDS)}")
        if any(yaw != int(yaw) for yaw in yaws_deg) or len(set(yaws_deg)) < max(1, len(yaws_deg)):
            raise DataError(f"TurnedHeads wants different whole degrees, not {tuple(yaws_deg)}")
        self.split, self.people, self.image_size, self.seed = split, people, image_size, seed
        self.yaws_deg, self.fields = tuple(map(int, yaws_deg)), tuple(fields)
        views = "".join(f"{yaw:+d}" for yaw in self.yaws_deg)
        folder = f"v{VERSION}-seed{seed}-{split}-{image_size}px-turned{views}"
        self.store = ChunkStore(Path(root) / folder)
        super().__init__(data_root=str(root), pipeline=list(pipeline))

    def load_data_list(self) -> list[dict]:
        """One small dict per image, after rendering the missing ones."""
        make = partial(
            _make_chunk, self.store, self.seed, self.split, self.image_size, self.yaws_deg
        )
        make_chunks(self.store, -(-self.people // CHUNK), make, workers=1)
        return [
            dict(index=number * len(self.yaws_deg) + i, name=f"{self.split}-{number:06d}{yaw:+03d}")
            for number in range(self.people)
            for i, yaw in enumerate(self.yaws_deg)
        ]

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        chunk, row = divmod(info.pop("index"), CHUNK * len(self.yaws_deg))
        return info | sample_of(self.store, chunk, row, self.fields)


def turned_images(
    numbers: Sequence[int], seed: int, split: str, size: int, yaws_deg: Sequence[int]
) -> Iterator[dict]:
    """For each person and each yaw: a dict of `render_head`'s maps, `light` and `view`."""
    model = HeadModel.load()
    for number in numbers:
        who = SPLITS[split] * PEOPLE_PER_SPLIT + number
        person = random_person(model, np.random.default_rng([seed, 1, who]))
        head = person_head(model, person)
        capture = random_capture(
            model, np.random.default_rng([seed, SCENES, SPLITS[split], number])
        )
        for yaw in yaws_deg:
            view = np.float32([0, np.radians(yaw), 0, 0, 0, 0])
            maps = render_head(model, person, replace(capture, view=view), size, head)
            yield dict(maps, light=capture.light, view=view)


def _make_chunk(store, seed, split, size, yaws_deg, chunk):
    numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
    write_chunk(store, chunk, turned_images(numbers, seed, split, size, yaws_deg))
