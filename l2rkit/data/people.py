"""Several photos of each person: a photo set ordered by person, and a sampler of people.

    ROOT/PERSON/PHOTO.jpg       a folder per person: LFW (`lfw/`), CASIA-WebFace

CelebA, or another set whose samples have `person`, is given by its config instead.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import BaseDataset
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.registry import DATA_SAMPLERS, DATASETS, TRANSFORMS
from torch.utils.data import Sampler

from l2rkit.data.folder import PhotoFolder
from l2rkit.data.photo_set import PhotoSet
from l2rkit.errors import DataError


@DATASETS.register_module()
class PhotoCollections(PhotoSet):
    """The photos of all people with at least `min_photos`, ordered by person.

    Args:
        photos: a folder with a folder per person, or a photo set whose samples have `person`, built
            or as a config such as dict(type=CelebA, data_root="data/celeba", split="train").
            Samples, including `person`, are those of that set; its pipeline is not used.

    Raises:
        DataError: nobody has so many photos, or samples lack `person`.
    """

    def __init__(
        self,
        photos: str | dict | BaseDataset,
        min_photos: int = 2,
        pipeline: Sequence = (),
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        if isinstance(photos, dict):
            photos = DATASETS.build(photos)
        self.photos = (
            photos if isinstance(photos, BaseDataset) else PhotoFolder(photos, person_folders=True)
        )
        self.min_photos = min_photos
        super().__init__(
            pipeline=list(pipeline), indices=indices, test_mode=test_mode, serialize_data=False
        )

    def load_data_list(self) -> list[int]:
        """Indices in `photos`, ordered by person."""
        self.person = person = people_of(self.photos)
        groups = {who: rows for who, rows in group(person) if len(rows) >= self.min_photos}
        if not groups:
            most = max((len(rows) for _, rows in group(person)), default=0)
            raise DataError(
                f"PhotoCollections requires people with at least {self.min_photos} photos; "
                f"the most photos of one person are {most}"
            )
        return [int(row) for rows in groups.values() for row in rows]

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = self.photos.get_data_info(self.data_list[idx])
        return dict(info, sample_idx=idx % len(self.data_list))

    def people(self) -> np.ndarray:
        """(len,): the person of each photo."""
        return self.person[self.data_list]

    def stand_in(self, idx: int) -> int:
        """The next sound photo of the same person, or of anyone if the person has none."""
        person = self.people()
        sound = np.flatnonzero((person == person[idx]) & ~self.damaged.numpy())
        if not len(sound):
            return super().stand_in(idx)
        return int(sound[np.searchsorted(sound, idx) % len(sound)])


@DATA_SAMPLERS.register_module()
class PersonSampler(Sampler):
    """Samples every person once per epoch, `photos` photos of each in a row, in random order.

    The photos of a person are distinct, unless the person has fewer than `photos`. The order
    depends on (seed, epoch) only, so a resumed run continues identically. Distributed processes
    divide the people among them; a remainder is left out in that epoch.

    Args:
        photos: photos per person. Several numbers, such as (4, 2, 1, 1), apply to one person after
            another. A dict gives them by their first epoch, as {0: 1, 10: 2, 20: (4, 2)}. The batch
            size should be a multiple of their sum, so that batches do not split sets.
        seed: default: a random one, the same in all processes.

    Raises:
        DataError: photos has a number below 1 or none for epoch 0, or there are fewer people than
            processes.
    """

    def __init__(
        self,
        dataset: BaseDataset,
        photos: int | Sequence[int] | dict[int, int | Sequence[int]] = 4,
        seed: int | None = None,
    ):
        by_epoch = photos if isinstance(photos, dict) else {0: photos}
        self.photos_from = {
            epoch: (number,) if isinstance(number, int) else tuple(number)
            for epoch, number in by_epoch.items()
        }
        if any(min(numbers, default=0) < 1 for numbers in self.photos_from.values()):
            raise DataError(f"PersonSampler: photos are whole numbers from 1 on, not {photos}")
        if 0 not in self.photos_from:
            raise DataError(f"PersonSampler: photos expects a number from epoch 0 on, not {photos}")
        self.rank, self.world_size = get_dist_info()
        self.groups = [rows for _, rows in group(people_of(dataset))]
        self.epoch = 0
        self.seed = sync_random_seed() if seed is None else seed
        if len(self.groups) < self.world_size:
            raise DataError(
                f"PersonSampler requires a person for each of {self.world_size} processes; "
                f"got {len(self.groups)}"
            )

    def __iter__(self) -> Iterator[int]:
        """Indices of this process."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.groups))
        people = order[self.rank :: self.world_size][: self.people_each]
        for who, number in zip(people, cycle(self.photos)):
            rows = self.groups[who]
            drawn = np.random.default_rng([self.seed, self.epoch, who]).permutation(rows)
            yield from np.resize(drawn, number).tolist()

    def __len__(self) -> int:
        """Photos of this process in an epoch."""
        return sum(islice(cycle(self.photos), self.people_each))

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the next iteration; MMEngine's loops call it."""
        self.epoch = epoch

    @property
    def photos(self) -> tuple[int, ...]:
        """Photos per person in this epoch, for one person after another."""
        return self.photos_from[max(start for start in self.photos_from if start <= self.epoch)]

    @property
    def people_each(self) -> int:
        """People per process in an epoch."""
        return len(self.groups) // self.world_size


@TRANSFORMS.register_module()
class EachAlone(BaseTransform):
    """Gives every photo another `person`, so that methods of photo sets process each alone."""

    def transform(self, results: dict) -> dict:
        return dict(results, person=results["sample_idx"])


def people_of(dataset: BaseDataset) -> np.ndarray:
    """(len,) int64: the person of each photo, without reading photos.

    Raises:
        DataError: samples lack `person`.
    """
    if hasattr(dataset, "people"):
        person = dataset.people()
    else:
        infos = (BaseDataset.get_data_info(dataset, i) for i in range(len(dataset)))
        person = [info.get("person") for info in infos]
    if person is None or any(who is None for who in person):
        name = type(dataset).__name__
        raise DataError(f"{name} does not say who is on its photos: its samples lack 'person'")
    return np.asarray(person, np.int64)


def group(person: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """(id, ascending indices) for each person of ids (N,), in the order of ids."""
    order = np.argsort(person, kind="stable")
    who, starts = np.unique(person[order], return_index=True)
    return list(zip(who.tolist(), np.split(order, starts[1:])))
