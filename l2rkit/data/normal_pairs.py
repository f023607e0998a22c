"""Photos with normal maps from photometric stereo (Photoface, Yale B).

    ROOT/SPLIT/image/.../NAME_image.png
    ROOT/SPLIT/normal/.../NAME_normal.png    n = 2 * rgb / 255 - 1;  or .npy, (H, W, 3) floats

A map has the name of its photo with 'image' replaced by 'normal'; suffixes may differ.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.registry import DATASETS

from l2rkit.data.photo import PhotoError, list_photos, read_photo
from l2rkit.data.photo_set import PhotoSet
from l2rkit.errors import DataError, near
from l2rkit.io.reading import read_array

OURS = (("right", "left"), ("down", "up"), ("far", "near"))  # +x, +y, +z and their opposites
WORDS = [word for pair in OURS for word in pair]
STRAY = 0.3  # vectors whose length differs from 1 by this or more are background


@DATASETS.register_module()
class NormalPairs(PhotoSet):
    """Photo and normal map pairs of one split; samples have `img_path`, `name`, `normal`, `mask`.

    `normal` (H, W, 3) float32 in our axes: unit, facing the camera, (0, 0, -1) on the background;
    `mask` (H, W) uint8, 1 where the map has a normal.

    Args:
        axes: directions of the map's three channels in the picture: right or left, up or down, near
            (to the camera) or far. Most maps have ("right", "up", "near"); ours is
            ("right", "down", "far").
        folders: names of the folders of photos and normals, which also differ in the file names.

    Raises:
        DataError: the axes are no axes or not those of the maps, or files are missing.
    """

    def __init__(
        self,
        data_root: str,
        split: str = "train",
        axes: Sequence[str] = ("right", "up", "near"),
        folders: tuple[str, str] = ("image", "normal"),
        pipeline: Sequence = (),
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ):
        self.order, self.signs = axes_to_ours(axes)
        self.split, self.axes, self.folders = split, tuple(axes), folders
        super().__init__(
            data_root=str(data_root), pipeline=list(pipeline), indices=indices, test_mode=test_mode
        )

    def load_data_list(self) -> list[dict]:
        """One dict per photo with a normal map."""
        photos, normals = (Path(self.data_root, self.split, name) for name in self.folders)
        for folder in (photos, normals):
            if not folder.is_dir():
                raise DataError(f"NormalPairs requires the folder '{folder}', which is missing")
        samples = []
        for path in list_photos(photos):
            below = path.relative_to(photos)
            place = normals / below.parent / below.name.replace(*self.folders)
            found = (place.with_suffix(suffix) for suffix in (".npy", ".png", place.suffix))
            if (normal := next((each for each in found if each.is_file()), None)) is not None:
                samples.append(
                    dict(img_path=str(path), normal_path=str(normal), name=below.as_posix())
                )
        if not samples:
            raise DataError(
                f"NormalPairs found no normal map in '{normals}' for the photos in '{photos}': "
                "their names must differ by '{}' and '{}' only".format(*self.folders)
            )
        return samples

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super().get_data_info(idx)
        path = info["normal_path"]
        vectors = read_vectors(path)[..., self.order] * self.signs
        length = np.linalg.norm(vectors, axis=-1)
        mask = abs(length - 1) < STRAY
        if _mostly_away(vectors, mask):
            raise DataError(
                f"NormalPairs: most normals of '{path}' face away from the camera: axes {self.axes}"
                " are not those of the map"
            )
        vectors[..., 2] = np.minimum(vectors[..., 2], -1e-3)
        vectors[~mask] = (0, 0, -1)
        normal = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        return dict(info, normal=normal.astype(np.float32), mask=mask.astype(np.uint8))


def axes_to_ours(axes: Sequence[str]) -> tuple[list[int], np.ndarray]:
    """The channels of a map that are our x, y, z, and their signs (3,)."""
    for word in axes:
        if word not in WORDS:
            raise DataError(f"NormalPairs: no axis is called '{word}'{near(str(word), WORDS)}")
    order = [[i for i, word in enumerate(axes) if word in pair] for pair in OURS]
    if len(axes) != 3 or any(len(places) != 1 for places in order):
        raise DataError(f"NormalPairs expects one axis of each pair {OURS}, got {tuple(axes)}")
    places = [each[0] for each in order]
    signs = [1.0 if axes[i] == pair[0] else -1.0 for i, pair in zip(places, OURS)]
    return places, np.float32(signs)


def read_vectors(path) -> np.ndarray:
    """(H, W, 3) float32 as in the file; 0 where not finite. Raises PhotoError for another file."""
    if Path(path).suffix != ".npy":
        return read_photo(path).astype(np.float32) * (2 / 255) - 1
    try:
        vectors = read_array(path)
    except DataError as problem:
        raise PhotoError(path, f"is not a NumPy array ({problem})") from problem
    if vectors.ndim != 3 or vectors.shape[2] != 3 or not np.issubdtype(vectors.dtype, np.floating):
        got = f"{vectors.dtype} {vectors.shape}"
        raise PhotoError(path, f"is {got}, normals are (H, W, 3) floats")
    return np.nan_to_num(vectors.astype(np.float32), nan=0, posinf=0, neginf=0)


def _mostly_away(vectors, mask) -> bool:
    """Whether more than half of the normals point away from the camera."""
    return bool(mask.any() and (vectors[mask][:, 2] > 0).mean() > 0.5)
