"""Builds l2rkit/data/heads/head_landmarks.npz: FaceMesh's 468 points on the head model.

Renders neutral heads of version 1 in several views, finds their landmarks, and looks up the point
of the mean head at each landmark. The median over heads and views is symmetrized and projected to
the surface. Points that few views show (beyond the contour) are placed by the similarity that fits
the mean landmarks to the others. Run:

    python tools/builders/build_head_landmarks.py --picture landmarks.png

and check the picture: the points on the mean head, from the front and from both sides.
"""

from pathlib import Path

import click
import cv2
import numpy as np

from l2rkit.data.heads import HeadModel, random_capture, random_person
from l2rkit.data.heads.capture import Capture, rotation
from l2rkit.data.heads.head_model import to_scene
from l2rkit.data.heads.render import TURNING_POINT, person_head, project, render_head
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.points import LEFT_EYE, MEAN_FACE, MIRRORED, RIGHT_EYE
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh, vertex_normals

SIZE = 192  # px of the rendered heads, the network's input size
YAWS_DEG = (-35, -15, 0, 15, 35)
STEEPEST = 0.35  # least cosine of the normal to the camera of a usable pixel
FEWEST = 0.15  # least share of the pictures that show a point
FARTHER = 0.2  # scene units that heads are moved away, so that chins are in the picture
SEED = 20


def observed(model: HeadModel, find: FaceMesh, number: int) -> np.ndarray:
    """(468, 3): points in dm of the mean head at the landmarks of head `number`; NaN if unseen."""
    rng = np.random.default_rng([SEED, number])
    person, scene = random_person(model, rng), random_capture(model, rng)
    yaw = np.radians(YAWS_DEG[number % len(YAWS_DEG)])
    view = np.float32([0, yaw, 0, 0, 0, FARTHER])
    light = np.float32([0.6, 0.4, 0, 0, -1])
    scene = Capture(np.zeros_like(scene.action), view, light, scene.background)
    head = person_head(model, person)
    image = render_head(model, person, scene, SIZE, head)["img"]
    points = find([np.round(image * 255).astype(np.uint8)])[0, :, :2]
    turned = (head - TURNING_POINT) @ rotation(view[:3]).T.astype(np.float32)
    turned = turned + TURNING_POINT + view[3:]
    face, weights, _ = rasterize_mesh(project(turned, SIZE), model.triangles, SIZE)
    normals = vertex_normals(turned, model.triangles)
    seen = face >= 0
    values = np.full((SIZE, SIZE, 4), np.nan, np.float32)
    columns = np.column_stack([model.mean, -normals[:, 2]]).astype(np.float32)
    values[seen] = interpolate(face[seen], weights[seen], model.triangles, columns)
    values[values[..., 3] < STEEPEST] = np.nan
    u, v = points.T.astype(np.float32)
    unseen = (np.nan,) * 4
    return cv2.remap(values, u[None], v[None], cv2.INTER_LINEAR, borderValue=unseen)[0, :, :3]


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N, 3): source (N, 3) under the similarity that fits the finite rows of target (N, 3)."""
    known = np.isfinite(target).all(1)
    fit, scale = cv2.estimateAffine3D(source[known], target[known], force_rotation=True)
    return source @ (scale * fit[:, :3]).T + fit[:, 3]


def nearest_surface(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> tuple:
    """Triangle (N,) and weights (N, 3) of the surface point nearest to each of points (N, 3)."""
    a, b, c = (vertices[triangles[:, i]].astype(float) for i in range(3))
    grid = [(i / 8, j / 8) for i in range(9) for j in range(9 - i)]
    found, shares = [], []
    for point in points:
        best = (np.inf, 0, None)
        near = np.argsort(np.square((a + b + c) / 3 - point).sum(1))[:40]
        for wb, wc in grid:
            at = (1 - wb - wc) * a[near] + wb * b[near] + wc * c[near]
            off = ((at - point) ** 2).sum(1)
            if off.min() < best[0]:
                best = (off.min(), near[off.argmin()], (1 - wb - wc, wb, wc))
        found.append(best[1])
        shares.append(best[2])
    return np.array(found, np.int32), np.array(shares, np.float32)


def correspondence(model: HeadModel, heads: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangle (468,) and weights (468, 3) of the landmarks on the head model."""
    find = FaceMesh()
    with click.progressbar(range(heads)) as numbers:
        seen = np.array([observed(model, find, number) for number in numbers])
    mirror = np.float32([-1, 1, 1])
    seen = np.concatenate([seen, seen[:, MIRRORED] * mirror])
    place = np.nanmedian(seen, 0)
    place = (place + place[MIRRORED] * mirror) / 2
    place[np.isfinite(seen[..., 0]).mean(0) < FEWEST] = np.nan
    click.echo(f"{np.isnan(place[:, 0]).sum()} points placed by the similarity")
    laid = similarity(MEAN_FACE, place)
    place = np.where(np.isnan(place), laid, place)
    outer = model.triangles[
        ((model.part == 0) & (model.masks["inside-mouth"] < 0.5))[model.triangles].all(1)
    ]
    keep = {tuple(t): i for i, t in enumerate(model.triangles.tolist())}
    numbers = np.array([keep[tuple(t)] for t in outer.tolist()])
    triangle, weights = nearest_surface(place, model.mean, outer)
    return numbers[triangle], weights


def picture(model: HeadModel, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(480, 1440, 3) uint8: the points on the mean head from the front and from both sides."""
    person = random_person(model, np.random.default_rng(3))
    scene = random_capture(model, np.random.default_rng(3))
    points = to_scene((model.mean[model.triangles[triangle]] * weights[..., None]).sum(1))
    tiles, size = [], 480
    for yaw in (-40, 0, 40):
        view = np.float32([0, np.radians(yaw), 0, 0, 0, FARTHER])
        light = np.float32([0.6, 0.4, 0, 0, -1])
        scene = Capture(np.zeros_like(scene.action), view, light, scene.background)
        drawn = render_head(model, person, scene, size, to_scene(model.mean))["img"]
        tile = np.round(drawn * 255).astype(np.uint8)
        turned = (points - TURNING_POINT) @ rotation(view[:3]).T + TURNING_POINT + view[3:]
        for i, (u, v, _) in enumerate(project(turned, size)):
            colour = (255, 0, 0) if i in {*LEFT_EYE, *RIGHT_EYE} else (0, 255, 0)
            cv2.circle(tile, (round(u), round(v)), 1, colour, -1)
        tiles.append(tile)
    return np.hstack(tiles)


@click.command(help=__doc__)
@click.option("--heads", default=300, show_default=True, help="Number of rendered heads.")
@click.option(
    "--picture", "shown", type=click.Path(path_type=Path), help="File for a picture of the points."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(__file__).parents[2] / "l2rkit/data/heads/head_landmarks.npz",
)
def main(heads: int, shown: Path | None, out: Path) -> None:
    model = HeadModel.load()
    triangle, weights = correspondence(model, heads)
    np.savez_compressed(out, triangle=triangle, weights=weights)
    click.echo(f"{out}: {out.stat().st_size} bytes")
    if shown:
        cv2.imwrite(str(shown), picture(model, triangle, weights)[..., ::-1])


if __name__ == "__main__":
    main()
