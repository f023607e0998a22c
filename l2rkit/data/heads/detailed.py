"""Version 2 of the synthetic heads: photographic skin, fine relief, occluders; made lazily."""

from collections.abc import Iterator, Sequence

import numpy as np
from mmengine.registry import DATASETS

from l2rkit.data.heads.character import random_character, texture_side
from l2rkit.data.heads.dataset import PHOTOS_PER_PERSON, SPLITS, LazyHeads, person_id
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.row_store import Layout

VERSION = 2
PERSON_DRAWS, SCENE_DRAWS = 11, 12  # seeds other than version 1's
FIELDS = ("img", "depth", "albedo", "normal", "light", "view", "occluder", "mask")
SECONDS_EACH = {64: 0.015, 128: 0.05, 256: 0.18}  # per image on one core, roughly


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


@DATASETS.register_module()
class DetailedHeads(LazyHeads):
    """Version 2 of the heads, with photographic or painted skin and fine relief.

    As `LazyHeads`; samples have two more fields:

    - `occluder` (H, W) uint8, 1 where glasses, hair, a beard or a hat hide the head or what is
      behind it;
    - `mask` (H, W) uint8, 1 where the photo shows the head itself.

    Depth, normals and albedo are the head's own, also behind occluders. Skins of a split are mixed
    from that split's portraits only. A head that is turned to a side moves to that side, as the
    camera stands still.
    """

    version, known, seconds = VERSION, FIELDS, SECONDS_EACH
    layout_of, images = staticmethod(layout_of), staticmethod(detailed_images)
