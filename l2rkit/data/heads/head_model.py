"""A linear head model: mean + macro mix + shape modes + facial actions.

tools/builders/build_head_model.py made its file, whose `source` has the sources and licence (CC0).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

ASSET = Path(__file__).with_name("head_model.npz")
SCALE = 0.112  # scene units per decimetre: the face fills a 10 degree view at distance 1
ORIGIN = np.array([0, -0.008, 0.989], np.float32)  # scene units: the place of the model's origin;
# brows to chin fill the frame, and depths spread as in Unsup3D's renderings of the BFM


@dataclass(frozen=True)
class HeadModel:
    """V vertices in decimetres around the face's centre, x right, y down, z away from the camera.

    A basis is (K, V, 3) displacements with K names. Shape modes and actions of the right side are
    exact mirror images of those of the left side (`l-x` and `r-x`; `xLeft` and `xRight`).
    """

    mean: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (T, 3) int32, counter-clockwise seen from outside
    mirror: np.ndarray  # (V,) the vertex on the other side
    part: np.ndarray  # (V,) index into `parts`: skin, eye, teeth, tongue
    masks: dict[str, np.ndarray]  # (V,) in [0, 1]: lips, eyelids, ears, inside-mouth, face
    openness: np.ndarray  # (V,) in [0, 1], small in folds and holes
    macro: np.ndarray  # (18, V, 3) race x gender x age; weights should sum to 1
    macro_names: tuple[str, ...]
    weight: np.ndarray  # (4, V, 3) lean (-1) to heavy (+1), per gender x age
    weight_names: tuple[str, ...]
    shape: np.ndarray  # (S, V, 3) coefficient 1 is a strong change
    shape_names: tuple[str, ...]
    action: np.ndarray  # (52, V, 3) coefficient 1 is the full action
    action_names: tuple[str, ...]

    @staticmethod
    @lru_cache(maxsize=1)
    def load(path: Path = ASSET) -> "HeadModel":
        """The shipped model, read once per process."""
        with np.load(path) as asset:
            arrays = dict(asset)
        step = np.float32(arrays["step"])
        flip = np.array([-1, 1, 1], np.float32)
        shape = arrays["shape"] * step
        names = tuple(arrays["shape_names"].tolist())
        left = [i for i, name in enumerate(names) if name.startswith("l-")]
        right = shape[left][:, arrays["mirror"]] * flip
        return HeadModel(
            mean=arrays["mean"] * step,
            triangles=arrays["triangles"].astype(np.int32),
            mirror=arrays["mirror"].astype(np.int64),
            part=arrays["part"],
            masks={
                str(name): column / np.float32(255)
                for name, column in zip(arrays["mask_names"], arrays["masks"].T, strict=True)
            },
            openness=arrays["openness"] / np.float32(255),
            macro=arrays["macro"] * step,
            macro_names=tuple(arrays["macro_names"].tolist()),
            weight=arrays["weight"] * step,
            weight_names=tuple(arrays["weight_names"].tolist()),
            shape=np.concatenate([shape, right]),
            shape_names=names + tuple("r-" + names[i][2:] for i in left),
            action=arrays["action"] * step,
            action_names=tuple(arrays["action_names"].tolist()),
        )

    def offsets(self, basis: str, coefficients: np.ndarray) -> np.ndarray:
        """(V, 3) decimetres: a basis ('shape', 'action', ...) times its coefficients (K,).

        Raises:
            ValueError: there are not K coefficients.
        """
        modes = getattr(self, basis)
        if len(coefficients) != len(modes):
            raise ValueError(f"{basis} expects {len(modes)} coefficients, got {len(coefficients)}")
        total = np.zeros_like(self.mean)
        for k in np.flatnonzero(coefficients):  # faster than BLAS: no threads, no copies
            total += np.float32(coefficients[k]) * modes[k]
        return total

    def vertices(self, **coefficients: np.ndarray) -> np.ndarray:
        """(V, 3) scene units: `shape=`, `macro=`, `weight=`, `action=` coefficients, 0 if absent.

        >>> HeadModel.load().vertices(action=np.eye(52)[16]).shape
        (5043, 3)
        """
        head = self.mean
        for basis, values in coefficients.items():
            head = head + self.offsets(basis, values)
        return to_scene(head)

    @cached_property
    def shape_mirror(self) -> np.ndarray:
        """(S,): the index of each shape mode's mirror image, its own for symmetric modes."""
        swap = {"l-": "r-", "r-": "l-"}
        twins = [swap.get(name[:2], name[:2]) + name[2:] for name in self.shape_names]
        return np.array([self.shape_names.index(twin) for twin in twins])

    @cached_property
    def eye(self) -> np.ndarray:
        """(4,): centre x > 0, y, z and radius in dm of the eye on the right of the image."""
        eye = self.mean[(self.part == 1) & (self.mean[:, 0] > 0)]
        low, high = eye.min(0), eye.max(0)
        return np.float32([*(low + high) / 2, (high[1] - low[1]) / 2])


def to_scene(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) in scene units, from decimetres around the face's centre."""
    return ORIGIN + np.float32(SCALE) * points
