"""Builds l2rkit/data/heads/head_skins.npz: faces of CC0 portraits as textures of the head model.

The portraits are those of the manifest whose licence is CC0-1.0 (docs/datasets.md): generated
pictures of nobody real, faker assets. Each keeps its person's split. Landmarks map the photo to the
head; `fitted_light` removes its light approximately; parts that the photo does not show are
mirrored, else filled smoothly. Run:

    OPENFACES_ROOT=data/openfaces python tools/builders/build_head_skins.py --picture skins.png
"""

import csv
import os
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from build_head_landmarks import similarity

from l2rkit.data.align import TEMPLATE, fit_similarity, warp
from l2rkit.data.heads.atlas import (
    EYE,
    TEXTURE,
    eye_texels,
    filled,
    landmark_points,
    skin_uv,
    texels,
)
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.manifest import LANDMARKS
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.points import LEFT_EYE, LIPS, MIRRORED, MOUTH, OVAL, RIGHT_EYE, TRIANGLES
from l2rkit.render.light import fitted_light, without_light
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh

SOURCE = "Faker assets, github.com/faker-js/assets-person-portrait, generated pictures, CC0 1.0"
CROP = 256  # px of the crop in which landmarks are found
FACING = 0.12, 0.45  # cosines to the camera at which a texel's weight becomes positive, and 1
CONTOUR = 2, 8  # texels from the lower face's contour, where photos show the background
REACH = 0.35  # dm over which the contour's misfit is extrapolated
# Shares of slow changes of brightness and of hue that are removed as light.
FLATTENED, BLEACHED = 0.6, 0.8
QUALITY = 90  # of the JPEGs
HAIR = 64  # px of the map of hair
# The fit: standard deviations of coefficients, and of landmarks from the surface in dm.
PRIOR, NOISE = dict(shape=0.35, macro=0.15, weight=0.6, action=0.25), 0.012
EXPRESSIVE = ("mouthSmile", "jawOpen", "brow", "eyeSquint", "mouthUpperUp", "mouthLowerDown")


def ramp(value, low, high):
    return np.clip((value - low) / (high - low), 0, 1).astype(np.float32)


def portraits(root: Path) -> list[dict]:
    """The manifest's rows with a CC0 licence."""
    with open(root / "manifest.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["licence"] == "CC0-1.0"]


def found_landmarks(photo: np.ndarray, row: dict, find: FaceMesh) -> np.ndarray:
    """(468, 3): landmarks in px of the photo (H, W, 3)."""
    five = np.array([float(row[key]) for key in LANDMARKS]).reshape(5, 2)
    matrix = fit_similarity(five, TEMPLATE * CROP - 0.5)
    points = find([warp(photo, matrix, CROP)])[0]
    back = cv2.invertAffineTransform(matrix)
    scale = np.hypot(back[0, 0], back[1, 0])
    return np.column_stack([points[:, :2] @ back[:, :2].T + back[:, 2], points[:, 2] * scale])


def foreground(photo: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(H, W) 0..1: person and hair, by GrabCut (Rother et al., 2004), initialized by landmarks."""
    whole = photo.shape[1::-1]
    photo = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    landmarks = landmarks / 2
    height, width = photo.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    outline = cv2.convexHull(landmarks[:, :2].astype(np.float32))
    face = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(face, np.rint(outline).astype(np.int32), 1)
    side = int(np.ptp(landmarks[:, 0]))
    around = cv2.dilate(face, np.ones((side // 2, side // 2), np.uint8))
    labels[around > 0] = cv2.GC_PR_FGD
    body = np.zeros_like(face)
    x = landmarks[OVAL, 0].mean()
    low = landmarks[:, 1].max()
    cv2.rectangle(body, (int(x - side), int(low + side * 0.5)), (int(x + side), height), 1, -1)
    labels[body > 0] = cv2.GC_PR_FGD
    margin = max(2, width // 40)
    labels[: int(landmarks[:, 1].min()), :margin] = cv2.GC_BGD
    labels[: int(landmarks[:, 1].min()), -margin:] = cv2.GC_BGD
    labels[face > 0] = cv2.GC_FGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(photo[..., ::-1].copy(), labels, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    eroded = cv2.erode(inside, np.ones((3, 3)))
    return cv2.resize(cv2.GaussianBlur(eroded, (0, 0), 1), whole, interpolation=cv2.INTER_LINEAR)


class Layout:
    """The places of texels among the landmarks, the same for all photos."""

    def __init__(self, model: HeadModel):
        self.model, self.texels = model, texels()
        self.points = landmark_points(model, model.mean)
        self.uv = skin_uv(self.points) * TEXTURE - 0.5
        flat = np.column_stack([self.uv, np.full(len(self.uv), 1000.0)])
        self.triangles = TRIANGLES.astype(np.int64)
        self.face, self.weights, _ = rasterize_mesh(flat, self.triangles, TEXTURE)
        self.inside = self.face >= 0
        away = self.texels.rest[~self.inside][:, None] - self.points[OVAL]
        between = self.points[OVAL][:, None] - self.points[OVAL]
        self.kernel = _bell(away) @ np.linalg.inv(_bell(between) + 1e-3 * np.eye(len(OVAL)))
        within, beyond = (
            cv2.distanceTransform(np.uint8(side), cv2.DIST_L2, 3)
            for side in (self.inside, ~self.inside)
        )
        low = ramp(self.texels.rest[..., 1], -0.1, 0.1)
        self.off_contour = 1 - low * (1 - ramp(np.maximum(within, beyond), *CONTOUR))
        self.eyes = np.zeros((TEXTURE, TEXTURE), np.float32)
        for ring in (LEFT_EYE, RIGHT_EYE):
            polygon = np.rint(self.uv[ring] * 16).astype(np.int32)
            cv2.fillPoly(self.eyes, [polygon], 1.0, shift=4)
        self.mouth = np.zeros_like(self.eyes)
        cv2.fillPoly(self.mouth, [np.rint(self.uv[MOUTH]).astype(np.int32)], 1.0)
        self.mouth = cv2.dilate(self.mouth, np.ones((5, 3)))  # teeth are not skin
        self.lips = np.zeros_like(self.eyes)
        hull = cv2.convexHull(self.uv[LIPS].astype(np.float32))
        cv2.fillPoly(self.lips, [np.rint(hull).astype(np.int32)], 1.0)
        eye_uv = skin_uv(eye_texels(model)).astype(np.float32) * TEXTURE - 0.5
        self.eye_u, self.eye_v = eye_uv[..., 0], eye_uv[..., 1]

    def affine(self, landmarks: np.ndarray) -> np.ndarray:
        """(4, 2): the affine map from homogeneous mean-head points (..., 4) to px of the photo."""
        known = np.column_stack([self.points, np.ones(len(self.points))])
        return np.linalg.lstsq(known, landmarks[:, :2], rcond=None)[0]

    def places(self, landmarks: np.ndarray, affine: np.ndarray) -> np.ndarray:
        """(T, T, 2) float32: px of the photo at each texel."""
        out = np.zeros((TEXTURE, TEXTURE, 2), np.float32)
        out[self.inside] = interpolate(
            self.face[self.inside], self.weights[self.inside], self.triangles,
            landmarks[:, :2].astype(np.float32),
        )  # fmt: skip
        misfit = landmarks[OVAL, :2] - (self.points[OVAL] @ affine[:3] + affine[3])
        rest = self.texels.rest[~self.inside]
        out[~self.inside] = rest @ affine[:3] + affine[3] + self.kernel @ misfit
        return out

    def sampled(self, picture: np.ndarray, at: np.ndarray) -> np.ndarray:
        return cv2.remap(
            picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )


def skin_of(photo: np.ndarray, landmarks: np.ndarray, layout: Layout) -> tuple:
    """The atlas (T + EYE, T, 3) uint8 RGB, and the map of hair (T, T) 0..1."""
    affine = layout.affine(landmarks)
    at = layout.places(landmarks, affine)
    colour = layout.sampled(photo.astype(np.float32) / 255, at)
    # the camera's axes on the head are the affine map's columns
    forward = np.cross(*affine[:3].T)
    forward /= np.linalg.norm(forward)
    weight = ramp(-(layout.texels.normal @ forward), *FACING)
    height, width = photo.shape[:2]
    weight *= ((at > 1) & (at < [width - 2, height - 2])).all(-1)
    weight *= np.where(layout.inside, 1, layout.sampled(foreground(photo, landmarks), at))
    weight *= (layout.texels.rest[..., 1] < 1.0) * layout.off_contour
    weight *= layout.texels.masks["ears"] < 0.1  # at ears, photos show the background
    skin = layout.inside * (1 - layout.eyes) * (1 - layout.lips)
    colour = lit_evenly(colour, weight, skin, layout)
    beside = ~layout.inside * ramp(layout.texels.rest[..., 1], -0.15, 0.0)  # beside jaw and neck
    away = unlike_skin(colour, skin * weight)
    weight *= 1 - beside * ramp(away, 1.2, 2.0)
    rest = layout.texels.rest
    jaw = ramp(np.abs(rest[..., 0]), 0.40, 0.50) * ramp(rest[..., 1], -0.10, 0.0)
    weight *= 1 - jaw * ramp(away, 1.5, 2.5)
    weight = cv2.GaussianBlur(cv2.erode(weight, np.ones((3, 3))), (0, 0), 1.5) * weight
    eye_colour = layout.sampled(colour, np.stack([layout.eye_u, layout.eye_v], -1))
    ring = cv2.erode(layout.eyes, np.ones((3, 3))) * np.minimum(1, weight * 4)
    eye_known = layout.sampled(ring, np.stack([layout.eye_u, layout.eye_v], -1))
    own = weight * (1 - cv2.dilate(layout.eyes, np.ones((3, 3)))) * (1 - layout.mouth)
    other, share = colour[:, ::-1], own[:, ::-1] * (1 - own)
    known = own + share
    both = (colour * own[..., None] + other * share[..., None]) / np.maximum(known, 1e-6)[..., None]
    whole = filled(both.astype(np.float32), np.minimum(known, 1).astype(np.float32))
    ears = layout.texels.masks["ears"] * ramp(-layout.texels.openness, -0.55, -0.1)
    whole = whole * (1 - 0.6 * ears)[..., None]
    eyes = both_eyes(eye_colour, eye_known)
    atlas = np.zeros((TEXTURE + EYE, TEXTURE, 3), np.float32)
    atlas[:TEXTURE], atlas[TEXTURE:, : 2 * EYE] = whole, np.hstack(eyes)
    atlas[TEXTURE:, 2 * EYE :] = eyes[1][:, -1:].mean((0, 1))
    return np.rint(atlas.clip(0, 1) * 255).astype(np.uint8), hair_map(whole, skin * weight, layout)


def both_eyes(colour: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """Two (EYE, EYE, 3) from the pair (EYE, 2 EYE, 3); a hidden eye is the mirrored other one."""
    pair = [(colour[:, i : i + EYE], known[:, i : i + EYE]) for i in (0, EYE)]
    amounts = [float(part.sum()) for _, part in pair]
    for far in (0, 1):
        if amounts[far] < 0.7 * amounts[1 - far]:
            pair[far] = tuple(np.ascontiguousarray(each[:, ::-1]) for each in pair[1 - far])
    return [filled(*each) for each in pair]


def lit_evenly(colour, weight, skin, layout) -> np.ndarray:
    """(T, T, 3): the colour without the fitted light and without one-sided shading."""
    picture = torch.from_numpy(colour.transpose(2, 0, 1)[None].copy())
    normal = torch.from_numpy(layout.texels.normal.transpose(2, 0, 1)[None].copy())
    counts = torch.from_numpy((weight * skin)[None, None].astype(np.float32))
    light = fitted_light(picture, normal, counts)
    even = without_light(picture, normal, light)[0].permute(1, 2, 0).numpy()
    grey = np.log(even.mean(-1).clip(0.02))
    known = (weight * skin).astype(np.float32)
    slow = cv2.GaussianBlur(grey * known, (0, 0), 10) / (cv2.GaussianBlur(known, (0, 0), 10) + 1e-3)
    both = cv2.GaussianBlur(np.minimum(known, known[:, ::-1]), (0, 0), 10).clip(0, 1)
    uneven = np.clip(0.5 * (slow - slow[:, ::-1]) * both, -0.4, 0.4)
    even = even * np.exp(-0.8 * uneven)[..., None]
    bare = known * (1 - ramp(unlike_skin(even, known), 1.8, 3.0))
    tones = np.log(even.clip(0.02))
    grey = tones.mean(-1, keepdims=True)
    cast = _off_mean(grey, bare, 14, FLATTENED) + _off_mean(tones - grey, bare, 5, BLEACHED)
    return (even * np.exp(-cast)).clip(0, 1).astype(np.float32)


def _off_mean(value, known, sigma, amount):
    """(T, T, C): the blurred value (T, T, C) minus its mean, times amount."""
    share = cv2.GaussianBlur(known, (0, 0), sigma)[..., None]
    slow = cv2.GaussianBlur(value * known[..., None], (0, 0), sigma).reshape(value.shape)
    mean = (value * known[..., None]).sum((0, 1)) / (known.sum() + 1e-3)
    off = (slow / (share + 1e-3) - mean) * np.minimum(4 * share, 1)
    return amount * off.clip(-0.5, 0.5)


def unlike_skin(colour: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(T, T): the distance of colours (T, T, 3) from the known skin's, in standard deviations."""
    lab = cv2.cvtColor(colour.clip(0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    skin = lab[known > 0.8]
    middle = np.median(skin, 0)
    spread = np.maximum(np.median(np.abs(skin - middle), 0) * 1.5, [7, 3, 3])
    away = np.sqrt((((lab - middle) / spread) ** 2).sum(-1) / 3)
    return cv2.GaussianBlur(away.astype(np.float32), (0, 0), 2)


def hair_map(atlas: np.ndarray, known: np.ndarray, layout: Layout) -> np.ndarray:
    """(T, T) 0..1: hair, by colours unlike the skin's above and beside the face."""
    rest = layout.texels.rest
    beyond = np.maximum(
        ramp(-rest[..., 1], 0.50, 0.62), ramp(np.abs(rest[..., 0]), 0.58, 0.68)
    ) * ramp(-rest[..., 1], -0.75, -0.6)
    away = unlike_skin(atlas, known)
    return cv2.GaussianBlur(ramp(away, 1.5, 2.6) * beyond, (0, 0), 1.5)


class ShapeFit:
    """Ridge regression of the head model's coefficients on landmarks.

    FaceMesh places its points differently on people and on the head model. So the fit is to the
    differences of landmarks from `usual` (468, 3), the mean of portraits; default: the mean head's.
    """

    def __init__(self, model: HeadModel, usual: np.ndarray | None = None):
        self.model, self.mean = model, landmark_points(model, model.mean)
        self.usual = self.mean if usual is None else usual
        blocks, spreads = [], []
        for name, spread in PRIOR.items():
            modes = getattr(model, name)
            if name == "action":
                modes = modes[[n.startswith(EXPRESSIVE) for n in model.action_names]]
            blocks.append(np.array([landmark_points(model, mode) for mode in modes]))
            spreads += [spread] * len(modes)
        self.sizes = [len(block) for block in blocks]
        self.basis = np.concatenate(blocks).reshape(len(spreads), -1)
        scaled, trust = self.basis * np.array(spreads)[:, None], np.tile([1, 1, 0.5], 468)
        self.solve = np.linalg.solve(
            (scaled * trust) @ scaled.T / NOISE**2 + np.eye(len(spreads)),
            scaled * trust / NOISE**2,
        ) * np.array(spreads)[:, None]  # fmt: skip

    def __call__(self, landmarks: np.ndarray) -> dict[str, np.ndarray]:
        """{name: coefficients}; the expression is fitted, too, but not returned."""
        off = np.zeros_like(self.mean)
        for _ in range(5):
            laid = similarity(landmarks, self.usual + off)
            values = self.solve @ (laid - self.usual).ravel()
            off = (values @ self.basis).reshape(-1, 3)
        self.misfit = float(np.sqrt(((laid - self.usual - off) ** 2).sum(1).mean()))
        parts = dict(zip(PRIOR, np.split(values, np.cumsum(self.sizes)[:-1])))
        twins = parts["shape"][self.model.shape_mirror]
        parts["shape"] = np.clip(0.5 * (parts["shape"] + twins), -0.9, 0.9)
        return {name: parts[name].astype(np.float16) for name in ("shape", "macro", "weight")}


def usual_landmarks(shapes: list[np.ndarray], start: np.ndarray) -> np.ndarray:
    """(468, 3): the symmetric Procrustes mean of landmarks, aligned to `start` (468, 3)."""
    mean = start
    for _ in range(5):
        mean = similarity(np.mean([similarity(shape, mean) for shape in shapes], 0), start)
        mean = (mean + mean[MIRRORED] * [-1, 1, 1]) / 2
    return mean


def _bell(offsets):
    return np.exp(-(offsets**2).sum(-1) / (2 * REACH**2))


@click.command(help=__doc__)
@click.option("--limit", type=int, help="Use only the first photos, for a trial.")
@click.option(
    "--picture", "shown", type=click.Path(path_type=Path), help="File for a picture of the skins."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(__file__).parents[2] / "l2rkit/data/heads/head_skins.npz",
)
def main(limit: int | None, shown: Path | None, out: Path) -> None:
    root, model, find = Path(os.environ["OPENFACES_ROOT"]), HeadModel.load(), FaceMesh()
    layout, rows = Layout(model), portraits(root)[:limit]
    photos = [cv2.imread(str(root / row["path"]))[..., ::-1].copy() for row in rows]
    points = [found_landmarks(photo, row, find) for photo, row in zip(photos, rows)]
    seen = [shape for shape, row in zip(points, rows) if row["split"] == "train"]
    usual = usual_landmarks(seen, landmark_points(model, model.mean))
    fit = ShapeFit(model, usual)
    atlases, hairs, misfits = [], [], []
    shapes: dict[str, list] = {name: [] for name in ("shape", "macro", "weight")}
    with click.progressbar(list(zip(photos, points))) as pairs:
        for photo, landmarks in pairs:
            atlas, hair = skin_of(photo, landmarks, layout)
            atlases.append(atlas)
            small = cv2.resize(hair, (HAIR, HAIR), interpolation=cv2.INTER_AREA)
            hairs.append(np.rint(small * 15).astype(np.uint8))
            for name, values in fit(landmarks).items():
                shapes[name].append(values)
            misfits.append(fit.misfit)
    arrays = {name: np.array([row[name] for row in rows]) for name in ("split", "person")}
    jpeg = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    coded = dict(
        atlas=[cv2.imencode(".jpg", atlas[..., ::-1], jpeg)[1].ravel() for atlas in atlases],
        hair=[cv2.imencode(".png", hair)[1].ravel() for hair in hairs],
    )
    for name, files in coded.items():
        arrays |= {name: np.concatenate(files), f"{name}_ends": np.cumsum([*map(len, files)])}
    arrays |= {name: np.array(values) for name, values in shapes.items()}
    np.savez(out, source=SOURCE, **arrays)
    apart = [np.sqrt(((similarity(p, usual) - usual) ** 2).sum(1).mean()) for p in points]
    click.echo(f"{out}: {out.stat().st_size / 2**20:.2f} MiB, {len(atlases)} portraits")
    click.echo(
        f"landmarks lie {100 * np.mean(misfits):.2f} mm from the fitted shapes, "
        f"{100 * np.mean(apart):.2f} mm from their mean (root mean square)"
    )
    if shown:
        columns = 8
        atlases += [np.zeros_like(atlases[0])] * (-len(atlases) % columns)
        sheet = [np.hstack(atlases[i : i + columns]) for i in range(0, len(atlases), columns)]
        cv2.imwrite(str(shown), np.vstack(sheet)[..., ::-1])


if __name__ == "__main__":
    main()
