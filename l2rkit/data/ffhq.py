"""FFHQ: 70,000 photos of 1024 px (Karras et al., CVPR 2019), in its official layout.

ROOT/images1024x1024/00000/00000.png ... 69000/69999.png    or ROOT/images1024x1024/00000.png
ROOT/thumbnails128x128/00000/00000.png ...                  (the same at 128 px)
ROOT/ffhq-dataset-v2.json                                   category and 68 landmarks per photo
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.registry import DATASETS

from l2rkit.data.photo import photo_size
from l2rkit.data.photo_set import PhotoSet
from l2rkit.errors import DataError, near
from l2rkit.io.reading import read_json

SPLITS = {"train": "training", "val": "validation"}  # 60,000 and 10,000
LIST = "ffhq-dataset-v2.json"
LANDMARKS_PX = 1024  # size of the pictures that the landmarks refer to
GROUPS = (range(36, 42), range(42, 48), (30,), (48,), (54,))  # eyes, nose tip, mouth corners: iBUG
WHERE = "get it from NVlabs/ffhq-dataset (download_ffhq.py --json --images)"


@DATASETS.register_module()
class FFHQ(PhotoSet):
    """One split of FFHQ; samples have `img_path`, `name` and `landmarks` (5, 2) px.

    The landmarks are for the transform CropByLandmarks.

    Args:
        split: train or val; FFHQ has no test split.
        folder: images1024x1024 or thumbnails128x128.

    Raises:
        DataError: the split is unknown, or files are missing.
    """

    def __init__(
        self,
        data_root: str,
        split: str = "train",
        folder: str = "images1024x1024",
        pipeline: Sequence = (),
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        if split not in SPLITS:
            raise DataError(f"FFHQ has no split '{split}'{near(str(split), SPLITS)}")
        self.split, self.folder = split, folder
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per photo of the split."""
        root = Path(self.data_root)
        for name, there in ((self.folder, (root / self.folder).is_dir()),
                            (LIST, (root / LIST).is_file())):  # fmt: skip
            if not there:
                raise DataError(f"FFHQ: '{root}' holds no {name}; {WHERE}")
        samples, absent = [], []
        for number, landmarks in read_list(root / LIST, SPLITS[self.split]):
            name = f"{number:05d}.png"
            nested = root / self.folder / f"{number // 1000 * 1000:05d}" / name
            path = nested if nested.is_file() else root / self.folder / name
            if path.is_file():
                samples.append(dict(img_path=str(path), name=name, landmarks=landmarks))
            else:
                absent.append(nested)
        if absent or not samples:
            what = f"{len(absent)} of {len(absent) + len(samples)} photos of {self.split}"
            such = f", such as '{absent[0]}'" if absent else ""
            raise DataError(f"FFHQ: {what} that {LIST} names are absent{such}; {WHERE}")
        scale = max(photo_size(samples[0]["img_path"])) / LANDMARKS_PX
        for sample in samples:
            sample["landmarks"] = (sample["landmarks"] + 0.5) * np.float32(scale) - 0.5
        return samples


def read_list(path: Path, category: str) -> list[tuple[int, np.ndarray]]:
    """(number, landmarks (5, 2) px of the 1024 px picture) of each photo of a category.

    Raises:
        DataError: the file is not the official list.
    """
    try:
        found = []
        for number, entry in read_json(path).items():
            if entry["category"] == category:
                points = np.array(entry["image"]["face_landmarks"], np.float32).reshape(68, 2)
                five = np.stack([points[list(group)].mean(0) for group in GROUPS])
                found.append((int(number), five))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as problem:
        reason = f"{type(problem).__name__}: {problem}"
        raise DataError(f"FFHQ: '{path}' is not the official list ({reason})") from problem
    return found
