"""CelebA: 202,599 photos of 10,177 people (Liu et al., ICCV 2015), in its official layout.

    ROOT/img_align_celeba/000001.jpg ...     or ROOT/Img/img_align_celeba/
    ROOT/list_eval_partition.txt             or ROOT/Eval/...
    ROOT/identity_CelebA.txt                 or ROOT/Anno/... (optional: the person on each photo)

Unsup3D crops the in-the-wild photos by a list of boxes that its authors host
(`celeba_crop_bbox.txt`), whose origin is not documented. `ALIGNED_CROP` is the square of the
aligned photos (178 x 218 px) that puts eyes and mouth where `l2rkit.data.align.TEMPLATE` has them.
`tools/dataset_converters/celeba.py` aligns each photo instead, which is better.
"""

from collections.abc import Sequence
from logging import WARNING
from pathlib import Path

from mmengine.logging import print_log
from mmengine.registry import DATASETS

from l2rkit.data.photo_set import PhotoSet
from l2rkit.errors import DataError, near

SPLITS = {"train": 0, "val": 1, "test": 2}  # of list_eval_partition.txt
PARTITION, IDENTITY = "list_eval_partition.txt", "identity_CelebA.txt"
IMAGE_FOLDERS = ("img_align_celeba", "Img/img_align_celeba", "Img/img_align_celeba_png")
LIST_FOLDERS = ("", "Eval", "Anno", "Img")
# (x, y, width, height) px. Mean landmarks of the aligned photos: eyes (69, 111) and (108, 111),
# mouth (72, 152) and (105, 152). In the crop the eyes are at 0.32 and 0.68 across, 0.38 down
ALIGNED_CROP = (35, 70, 107, 107)
WHERE = (
    "get it from the page 'CelebA' of MMLab, CUHK (img_align_celeba.zip, list_eval_partition.txt, "
    "identity_CelebA.txt), then make aligned faces of it with "
    "python tools/dataset_converters/celeba.py ROOT OUT"
)


@DATASETS.register_module()
class CelebA(PhotoSet):
    """One split of CelebA; samples have `img_path`, `name`, `person` and `crop_box`.

    `person` is the official identity number; it is missing without identity_CelebA.txt.

    Args:
        data_root: the folder of CelebA, see `find_celeba`.
        split: train, val or test.
        aligned_crop: adds `crop_box` = ALIGNED_CROP, for the transform CropBox. False is for the
            converter's output, whose photos are face crops already.

    Raises:
        DataError: the split is unknown, a file is missing, or no photo of the split is there.
    """

    def __init__(
        self,
        data_root: str,
        split: str = "train",
        pipeline: Sequence = (),
        aligned_crop: bool = True,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        if split not in SPLITS:
            raise DataError(f"CelebA has no split '{split}'{near(str(split), SPLITS)}")
        self.split, self.aligned_crop = split, aligned_crop
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per existing photo of the split; missing ones give a warning."""
        images, partition, identity = find_celeba(self.data_root)
        listed = [name for name, split in read_list(partition) if split == SPLITS[self.split]]
        person = dict(read_list(identity)) if identity else {}
        there = {path.stem: path for path in images.iterdir()}
        samples, absent = [], []
        for name in listed:
            path = there.get(Path(name).stem)  # a converted copy may hold .png
            if path is None:
                absent.append(name)
                continue
            sample = dict(img_path=str(path), name=name)
            if name in person:
                sample["person"] = person[name]
            if self.aligned_crop:
                sample["crop_box"] = ALIGNED_CROP
            samples.append(sample)
        if not samples:
            raise DataError(
                f"CelebA: '{images}' holds no photo of the split {self.split}, such as "
                f"'{absent[0] if absent else '(none in the list)'}'; {WHERE}"
            )
        if absent:
            text = (
                f"CelebA: {len(absent)} of {len(listed)} photos of {self.split} that "
                f"'{partition.name}' names are not in '{images}', such as '{absent[0]}'"
            )
            print_log(text, logger="current", level=WARNING)
        return samples


def find_celeba(root) -> tuple[Path, Path, Path | None]:
    """The folder of photos, the partition list and the identity list (or None) below a root.

    Raises:
        DataError: one of the first two is missing.
    """
    root = Path(root)
    images = next((root / name for name in IMAGE_FOLDERS if (root / name).is_dir()), None)
    partition, identity = (
        next((root / f / name for f in LIST_FOLDERS if (root / f / name).is_file()), None)
        for name in (PARTITION, IDENTITY)
    )
    missing = IMAGE_FOLDERS[0] + "/" if images is None else PARTITION if partition is None else ""
    if missing:
        raise DataError(f"CelebA: '{root}' holds no {missing}; {WHERE}")
    return images, partition, identity


def read_list(path: Path) -> list[tuple[str, int]]:
    """(file name, number) of each line of a CelebA list. Raises DataError for another line."""
    pairs = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if len(words) != 2 or not words[1].isdecimal():
            raise DataError(f"CelebA: line {number} of '{path}' is not 'name number': {line!r}")
        pairs.append((words[0], int(words[1])))
    return pairs
