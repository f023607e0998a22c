"""Photos with depth maps, in the layout of Unsup3D's synthetic faces from the Basel Face Model.

    ROOT/train|val|test/image/.../NAME_image_1.png
    ROOT/train|val|test/depth/.../NAME_depth_1.png

A depth file has the name of its photo with 'image' replaced by 'depth' (elliottwu/unsup3d,
experiments/train_synface.yml). White is near: depth = 1.1 - 0.2 * red / 255.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from l2rkit.data.photo import list_photos, read_photo
from l2rkit.errors import DataError

SYNFACE_NEAR, SYNFACE_FAR = 0.9, 1.1  # scene units; the face's centre is at 1
WHERE = "Unsup3D's authors publish it as synface.zip (elliottwu/unsup3d, data/download_synface.sh)"


def decode_depth(
    red: np.ndarray, near: float = SYNFACE_NEAR, far: float = SYNFACE_FAR
) -> np.ndarray:
    """float32 depth of uint8 values: 255 is `near`, 0 is `far` and the background."""
    return (far + (near - far) * (red.astype(np.float32) / 255)).astype(np.float32)


@DATASETS.register_module()
class DepthPairs(BaseDataset):
    """Photo and depth pairs of one split; samples have `img_path`, `name` and `depth` (H, W).

    The largest depth is background. The usual pipeline is LoadPhoto, CentreCrop(170),
    ResizeFace(64), PackPhoto.

    Args:
        folders: names of the folders of photos and depth maps, which also differ in the file names.
        depth_range: depth of the values 255 and 0, in scene units.

    Raises:
        DataError: a folder or all depth maps are missing.
    """

    def __init__(
        self,
        data_root: str,
        split: str = "train",
        folders: tuple[str, str] = ("image", "depth"),
        pipeline: Sequence = (),
        depth_range: tuple[float, float] = (SYNFACE_NEAR, SYNFACE_FAR),
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        self.split, self.folders, self.depth_range = split, folders, depth_range
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per photo with a depth map."""
        photo_word, depth_word = self.folders
        photos, depths = (Path(self.data_root, self.split, name) for name in self.folders)
        for folder in (photos, depths):
            if not folder.is_dir():
                raise DataError(
                    f"DepthPairs requires the folder '{folder}', which is missing; {WHERE}"
                )
        samples = []
        for path in list_photos(photos):
            below = path.relative_to(photos)
            depth = depths / below.parent / below.name.replace(photo_word, depth_word)
            if depth.is_file():
                name = below.as_posix()
                samples.append(dict(img_path=str(path), depth_path=str(depth), name=name))
        if not samples:
            raise DataError(
                f"DepthPairs found no depth map in '{depths}' for the photos in '{photos}': "
                f"their names must differ by '{photo_word}' and '{depth_word}' only"
            )
        return samples

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        red = read_photo(info["depth_path"])[..., 0]
        return dict(info, depth=decode_depth(red, *self.depth_range))
