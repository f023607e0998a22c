"""Computes l2rkit/landmarks/mean_face.npz: the mean face and its named points.

It is the mean of FaceMesh's landmarks of the training photos of a manifest (docs/datasets.md).
Synthetic heads, whose views are known, determine the frontal pose and the place of the face.
"""

from pathlib import Path

import click
import numpy as np
import torch
from matplotlib.tri import Triangulation
from mmengine.utils import track_iter_progress

import l2rkit.landmarks
from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos, SyntheticHeads
from l2rkit.geometry import rotation
from l2rkit.structures import PIVOT

SIZE = 128  # px of the crops
HEADS = 1024
# Read from a drawing of the mean face, each from its left end along the top: the opening of the eye
# on the left, and the line between the lips.
EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
UPPER_LIP, LOWER_LIP = (78, 191, 80, 81, 82, 13), (14, 87, 178, 88, 95)  # left halves
LIP_STEP = 0.045  # largest distance of neighbours in the lips / distance of the outer eye corners


@click.command(help=__doc__)
@click.option("--out", default=Path(l2rkit.landmarks.__path__[0], "mean_face.npz"), type=Path)
def main(out: Path) -> None:
    from l2rkit.landmarks.face_mesh import FaceMesh
    from l2rkit.landmarks.pose import unproject_landmarks

    pipeline = [dict(type=LoadPhoto), dict(type=CropByLandmarks, image_size=SIZE)]
    photos = ManifestPhotos(split="train", pipeline=pipeline)
    heads = SyntheticHeads("val", HEADS, SIZE, fields=("img", "view"))
    find = FaceMesh()
    seen = [
        unproject_landmarks(torch.from_numpy(find([sample["img"]])).double(), SIZE)[0].numpy()
        for sample in track_iter_progress([*photos, *heads])
    ]
    of_photos, of_heads = np.array(seen[: len(photos)]), np.array(seen[len(photos) :])
    mean, mirrored = symmetric_mean(of_photos)
    mean = placed(mean, of_heads, np.array([head["view"] for head in heads]))
    np.savez_compressed(out, points=mean.astype(np.float32), **named(mean, mirrored))
    click.echo(f"{out}: {out.stat().st_size} bytes")


def symmetric_mean(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The generalised Procrustes mean (K, 3), centred, of shapes (N, K, 3); mirror indices (K,).

    The mean is symmetrized in each iteration; the mirror index of a point is that of the point
    nearest to its mirror image.
    """
    shapes = shapes - shapes.mean(1, keepdims=True)
    mean = shapes[np.abs(shapes[:, :, 2] @ left_to_right(shapes)).argsort()[: len(shapes) // 20]]
    mean = mean.mean(0)
    for _ in range(10):
        turned = shapes @ turns(mean, shapes)
        sizes = np.linalg.norm(turned, axis=(1, 2), keepdims=True)
        mean = (turned / sizes).mean(0) * sizes.mean()
        mirror = mean * [-1, 1, 1]
        mirrored = np.linalg.norm(mirror[:, None] - mean, axis=-1).argmin(1)
        mean = (mean + mirror[mirrored]) / 2
    if not np.array_equal(mirrored[mirrored], np.arange(len(mean))):
        raise click.ClickException("points have no partners: the mean is not symmetric")
    return mean, mirrored


def left_to_right(shapes: np.ndarray) -> np.ndarray:
    """(K,): weights for which the weighted sum of a frontal face's depths is about 0."""
    return shapes[:, :, 0].mean(0)


def turns(mean: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """(N, 3, 3): the rotations of the mean (K, 3) that best fit centred shapes (N, K, 3)."""
    from l2rkit.landmarks.pose import rotation_between

    return rotation_between(torch.from_numpy(mean), torch.from_numpy(shapes)).numpy()


def placed(mean: np.ndarray, seen: np.ndarray, views: np.ndarray) -> np.ndarray:
    """(K, 3): the mean, rotated and moved so that heads' views agree with the true ones (N, 6)."""
    true = rotation(torch.from_numpy(views[:, :3]).double()).numpy()
    u, _, v = np.linalg.svd((true.transpose(0, 2, 1) @ turns(mean, seen)).mean(0))
    pitch = np.arctan2(*(u @ v)[[2, 1], [1, 1]])  # other angles are noise: the mean is symmetric
    mean = mean @ rotation(torch.tensor([[pitch, 0.0, 0.0]], dtype=torch.float64))[0].numpy().T
    # The middle of the face: a = arm from the pivot, which the view rotates; the middle's
    # projection m does not depend on scale. Linear in a: m (1 + (Ra)z) - (Ra)xy = shift.
    middle = seen.mean(1)
    picture = middle[:, :2] / middle[:, 2:]
    matrix = picture[:, :, None] * true[:, 2:] - true[:, :2]
    rows, values = matrix.reshape(-1, 3)[:, 1:], (views[:, 3:5] - picture).reshape(-1)
    arm = np.linalg.lstsq(rows, values, rcond=None)[0]  # its x is 0: faces are symmetric
    return mean + np.array([0.0, *arm]) + PIVOT


def named(mean: np.ndarray, mirrored: np.ndarray) -> dict[str, np.ndarray]:
    """{name: indices} of named points, from the mean face (K, 3)."""
    flat, eye = mean[:, :2], np.array(EYE)
    upper, lower = np.array(UPPER_LIP), np.array(LOWER_LIP)
    mouth = np.concatenate([upper, mirrored[upper[-2::-1]], mirrored[lower[:0:-1]], lower])
    distance = flat[mirrored[EYE[0]], 0] - flat[EYE[0], 0]
    cheek = np.linalg.norm(flat - (flat[eye[0]] + flat[mouth[0]]) / 2, axis=1).argsort()[:4]
    sets = dict(
        mirrored=mirrored,
        triangles=Triangulation(*flat.T).triangles,
        nose_tip=mean[:, 2].argmin(),
        oval=hull(flat),
        left_eye=eye,
        right_eye=mirrored[eye],
        mouth=mouth,
        lips=joined(mouth, flat, LIP_STEP * distance),
        left_cheek=cheek,
        right_cheek=mirrored[cheek],
    )
    return {name: np.asarray(value, np.int16) for name, value in sets.items()}


def hull(flat: np.ndarray) -> np.ndarray:
    """The indices of the convex hull of points (K, 2)."""
    import cv2

    return cv2.convexHull(np.float32(flat), returnPoints=False)[:, 0]


def joined(start: np.ndarray, flat: np.ndarray, step: float) -> np.ndarray:
    """The indices of points reached from `start` by steps no longer than `step`."""
    near = np.linalg.norm(flat[:, None] - flat, axis=-1) <= step
    inside = np.zeros(len(flat), bool)
    inside[start] = True
    while not np.array_equal(grown := near[inside].any(0), inside):
        inside = grown
    return np.flatnonzero(inside)


if __name__ == "__main__":
    main()
