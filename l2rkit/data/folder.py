"""A folder of photos as a data set."""

from collections.abc import Sequence

from mmengine.registry import DATASETS

from l2rkit.data.photo import list_photos
from l2rkit.data.photo_set import PhotoSet


@DATASETS.register_module()
class PhotoFolder(PhotoSet):
    """All photos below a folder, sorted; samples have `img_path` and `name`, the relative path.

    Args:
        person_folders: each subfolder shows one person. Samples then have `person`, the index of
            the subfolder in sorted order.
    """

    def __init__(
        self,
        data_root: str,
        pipeline: Sequence = (),
        person_folders: bool = False,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        self.person_folders = person_folders
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per photo."""
        paths = list_photos(self.data_root)
        samples = [
            dict(img_path=str(path), name=path.relative_to(self.data_root).as_posix())
            for path in paths
        ]
        if self.person_folders:
            folders = sorted({path.parent for path in paths})
            number = {folder: index for index, folder in enumerate(folders)}
            for sample, path in zip(samples, paths):
                sample["person"] = number[path.parent]
        return samples
