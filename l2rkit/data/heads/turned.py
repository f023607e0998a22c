"""The same synthetic face in several views, for cross-view evaluation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from l2rkit.data.heads import dataset, detailed
from l2rkit.data.heads.capture import Capture, random_capture
from l2rkit.data.heads.character import random_character, texture_side
from l2rkit.data.heads.dataset import SPLITS, check_arguments, pack_row, person_id, read_row
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.person import random_person
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.render import person_head, render_head
from l2rkit.data.heads.row_store import RowStore
from l2rkit.errors import DataError

TURNED_SCENES, DETAILED_SCENES = 3, 13  # seeds other than those of the data sets of single photos


@DATASETS.register_module()
class TurnedHeads(BaseDataset):
    """`people` of a split of `SyntheticHeads`, one photo of each in every view.

    A person has the same expression, light and background in all views. The head turns about the
    vertical by `yaws_deg`; the light does not turn. Samples are those of `SyntheticHeads`, named
    `SPLIT-NUMBER+45`; the views of a person follow one another. They have no `person`, as methods
    of photo sets would process all views together.

    A photo is rendered on first use, with the others of its person, and cached in `root`. Seed,
    split and number of the person determine the photos, so a smaller set is the beginning of a
    larger one, and other views show the same faces.

    Raises:
        DataError: the split or a field is unknown, or yaws are not different whole numbers.
    """

    version, known, seconds = dataset.VERSION, dataset.FIELDS, dataset.SECONDS_EACH
    layout_of = staticmethod(dataset.layout_of)

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
        name = type(self).__name__
        check_arguments(name, self.known, split, fields, people=people, image_size=image_size)
        if any(yaw != int(yaw) for yaw in yaws_deg) or len(set(yaws_deg)) < max(1, len(yaws_deg)):
            raise DataError(f"{name} expects different whole degrees, not {tuple(yaws_deg)}")
        self.split, self.people, self.image_size, self.seed = split, people, image_size, seed
        self.photos_per_person = len(yaws_deg)
        self.yaws_deg, self.fields = tuple(map(int, yaws_deg)), tuple(fields)
        views = "".join(f"{yaw:+d}" for yaw in self.yaws_deg)
        folder = f"v{self.version}-seed{seed}-{split}-{image_size}px-turned{views}-rows"
        self.store = RowStore(Path(root) / folder, self.layout_of(image_size))
        super().__init__(data_root=str(root), pipeline=list(pipeline))

    def load_data_list(self) -> list[dict]:
        """One small dict per image; prints the time that rendering all of them takes."""
        each = len(self.yaws_deg)
        self.store.announce(self.people * each, self.image_size, self.seconds)
        return [
            dict(index=number * each + i, name=f"{self.split}-{number:06d}{yaw:+03d}")
            for number in range(self.people)
            for i, yaw in enumerate(self.yaws_deg)
        ]

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        index = info.pop("index")
        return info | read_row(self.store, index, self.fields, self._make)

    def _make(self, index: int) -> Iterator[tuple[int, dict]]:
        number = index // len(self.yaws_deg)
        images = self.images([number], self.seed, self.split, self.image_size, self.yaws_deg)
        for row, maps in enumerate(images, number * len(self.yaws_deg)):
            yield row, pack_row(self.store.layout, maps)

    @classmethod
    def images(
        cls, numbers: Sequence[int], seed: int, split: str, size: int, yaws_deg: Sequence[int]
    ) -> Iterator[dict]:
        """For each person and each yaw: a dict of the rendered maps, `light` and `view`."""
        model = HeadModel.load()
        for number in numbers:
            yield from in_views(*cls.scene(model, number, seed, split, size), yaws_deg)

    @staticmethod
    def scene(
        model: HeadModel, number: int, seed: int, split: str, size: int
    ) -> tuple[Callable[[Capture], dict], Capture]:
        """A function that renders the maps of a person, and the person's capture from ahead."""
        person = random_person(model, _draws(seed, 1, person_id(split, number, 1)))
        capture = random_capture(model, _draws(seed, TURNED_SCENES, SPLITS[split], number))
        head = person_head(model, person)
        return partial(render_head, model, person, size=size, head=head), capture


@DATASETS.register_module()
class DetailedTurnedHeads(TurnedHeads):
    """`people` of a split of `DetailedHeads`, one photo of each in every view.

    Arguments, order and names are those of `TurnedHeads`; fields, skin, relief and occluders those
    of `DetailedHeads`.
    """

    version, known, seconds = detailed.VERSION, detailed.FIELDS, detailed.SECONDS_EACH
    layout_of = staticmethod(detailed.layout_of)

    @staticmethod
    def scene(
        model: HeadModel, number: int, seed: int, split: str, size: int
    ) -> tuple[Callable[[Capture], dict], Capture]:
        """As in `TurnedHeads`, by `render_portrait`."""
        draws = _draws(seed, detailed.PERSON_DRAWS, person_id(split, number, 1))
        person = random_character(model, draws, split, texture_side(size))
        draws = _draws(seed, DETAILED_SCENES, SPLITS[split], number)
        capture = random_portrait_capture(model, draws)
        return partial(render_portrait, model, person, size=size), capture


def in_views(
    render: Callable[[Capture], dict], capture: Capture, yaws_deg: Sequence[int]
) -> Iterator[dict]:
    """For each yaw: the dict of maps that `render` makes of the turned capture, `light`, `view`."""
    for yaw in yaws_deg:
        view = np.float32([0, np.radians(yaw), 0, 0, 0, 0])
        yield dict(render(replace(capture, view=view)), light=capture.light, view=view)


def _draws(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
