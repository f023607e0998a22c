"""CelebA-HQ: 30,000 photos of 1024 px (Karras et al., 2018), in the layout of CelebAMask-HQ.

ROOT/CelebA-HQ-img/0.jpg ... 29999.jpg
ROOT/CelebA-HQ-to-CelebA-mapping.txt          idx orig_idx orig_file
ROOT/CelebAMask-HQ-mask-anno/0/00000_skin.png ... 14/   (optional; 512 px, 2000 photos per folder)
ROOT/list_eval_partition.txt                  of CelebA: the official split
ROOT/identity_CelebA.txt                      of CelebA (optional): the person on each photo
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.registry import DATASETS

from l2rkit.data.celeba import IDENTITY, LIST_FOLDERS, PARTITION, SPLITS, read_list
from l2rkit.data.photo import photo_size, read_photo
from l2rkit.data.photo_set import PhotoSet
from l2rkit.data.transforms import resize_nearest
from l2rkit.errors import DataError, near

IMAGES, MASKS, MAPPING = (
    "CelebA-HQ-img",
    "CelebAMask-HQ-mask-anno",
    "CelebA-HQ-to-CelebA-mapping.txt",
)
PHOTOS_PER_FOLDER = 2000
PARTS = ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth")
PARTS += ("u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth")
# (x, y, width, height) as shares of the photo. The photos are crops 4 eye distances wide around a
# point a tenth of the way from the eyes to the mouth (Karras et al., 2018, appendix C). In this
# square eyes and mouth are nearest to l2rkit.data.align.TEMPLATE. Derived, not measured.
ALIGNED_CROP = (0.158, 0.216, 0.684, 0.684)
WHERE = (
    "get it from the page of CelebAMask-HQ (MMLab, CUHK) and the two lists from the page of CelebA"
)


@DATASETS.register_module()
class CelebAHQ(PhotoSet):
    """One split of CelebA-HQ; samples have `img_path`, `name` (in CelebA) and `crop_box`.

    They also have `person`, CelebA's identity number, if identity_CelebA.txt is there.

    Args:
        split: CelebA's train, val or test; None means all photos and needs no partition list.
        mask_parts: such as ("skin", "nose"), of `PARTS`; adds `mask` (H, W) uint8 of the photo's
            size, 1 on any of these parts.
        aligned_crop: adds `crop_box`, for the transform CropBox, see ALIGNED_CROP.

    Raises:
        DataError: a split or part is unknown, or a file is missing.
    """

    def __init__(
        self,
        data_root: str,
        split: str | None = "train",
        mask_parts: Sequence[str] = (),
        pipeline: Sequence = (),
        aligned_crop: bool = True,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        if split is not None and split not in SPLITS:
            raise DataError(f"CelebAHQ has no split '{split}'{near(str(split), SPLITS)}")
        for part in mask_parts:
            if part not in PARTS:
                raise DataError(f"CelebAHQ has no mask part '{part}'{near(str(part), PARTS)}")
        self.split, self.mask_parts = split, tuple(mask_parts)
        self.aligned_crop = aligned_crop
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per photo of the split."""
        root = Path(self.data_root)
        partition, identity = (
            next((root / f / n for f in LIST_FOLDERS if (root / f / n).is_file()), None)
            for n in (PARTITION, IDENTITY)
        )
        required = [(IMAGES, (root / IMAGES).is_dir()), (MAPPING, (root / MAPPING).is_file())]
        required += [(PARTITION, partition or self.split is None)]
        required += [(MASKS, (root / MASKS).is_dir() or not self.mask_parts)]
        for name, there in required:
            if not there:
                raise DataError(f"CelebAHQ: '{root}' holds no {name}; {WHERE}")
        split_of = dict(read_list(partition)) if self.split else {}
        person = dict(read_list(identity)) if identity else {}
        samples = []
        for number, name in read_mapping(root / MAPPING):
            if self.split and name not in split_of:
                raise DataError(f"CelebAHQ: '{partition}' does not name '{name}' of {MAPPING}")
            if self.split and split_of[name] != SPLITS[self.split]:
                continue
            sample = dict(img_path=str(root / IMAGES / f"{number}.jpg"), name=name, number=number)
            if name in person:
                sample["person"] = person[name]
            samples.append(sample)
        if not samples:
            raise DataError(
                f"CelebAHQ: '{root / MAPPING}' names no photo of the split {self.split}"
            )
        there = {path.name for path in (root / IMAGES).iterdir()}
        absent = [s["img_path"] for s in samples if Path(s["img_path"]).name not in there]
        if absent:
            raise DataError(
                f"CelebAHQ: {len(absent)} of {len(samples)} photos that {MAPPING} names are "
                f"absent, such as '{absent[0]}'"
            )
        return samples

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        number, size = info.pop("number"), None
        if self.aligned_crop or self.mask_parts:
            size = photo_size(info["img_path"])[0]
        if self.aligned_crop:
            info["crop_box"] = tuple(round(share * size) for share in ALIGNED_CROP)
        if self.mask_parts:
            info["mask"] = read_mask(Path(self.data_root, MASKS), number, self.mask_parts, size)
        return info


def read_mapping(path: Path) -> list[tuple[int, str]]:
    """(number in CelebA-HQ, file name in CelebA) of each line. Raises DataError for others."""
    pairs = []
    for line, text in enumerate(path.read_text("utf-8", "replace").splitlines()[1:], 2):
        words = text.split()
        if len(words) != 3 or not words[0].isdecimal():
            raise DataError(
                f"CelebAHQ: line {line} of '{path}' is not 'number number name': {text!r}"
            )
        pairs.append((int(words[0]), words[2]))
    return pairs


def read_mask(folder: Path, number: int, parts: Sequence[str], size: int) -> np.ndarray:
    """(size, size) uint8: 1 where photo `number` has any of the parts; missing files are 0."""
    mask = np.zeros((size, size), np.uint8)
    for part in parts:
        path = folder / str(number // PHOTOS_PER_FOLDER) / f"{number:05d}_{part}.png"
        if path.is_file():
            mask |= resize_nearest(read_photo(path)[..., 0] > 127, size).astype(np.uint8)
    return mask
