"""Textured head scans as photos with true depth, placed like the synthetic heads and rendered.

A scan's axes must be y up and z out of the face, as in glTF. Its size and position are determined
by its face: the scan is rendered, the aligner's landmarks are projected onto the surface, and a
similarity fits them to those of an aligned mean head. The scanner's light remains in the texture
and turns with the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from mmengine.registry import DATASETS
from trimesh import registration, transform_points

from l2rkit.data.align import TEMPLATE, FaceAligner
from l2rkit.data.heads.capture import rotation
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.render import BACKGROUND_DEPTH, TAN_HALF_VIEW, TURNING_POINT, project
from l2rkit.data.pairs import DepthPairs
from l2rkit.data.photo import PhotoError
from l2rkit.errors import DataError
from l2rkit.io.reading import read_arrays
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh

MESHES = {".obj", ".ply", ".glb", ".gltf"}
FINER = 4  # supersampling of colours, along each axis
LOOK_PX = 480  # side of the picture in which the face is detected
ROUNDS = 3  # of placing; landmarks are more accurate on a placed head
HOLE = 0.03  # largest distance of a landmark from the surface, in sides of the picture
GREY = np.float32(0.5)  # background


@dataclass(frozen=True)
class Scan:
    """A mesh in our axes: vertices (V, 3), triangles (T, 3) int32, and its colours.

    Colours are a texture (H, W, 3) uint8 with uv (V, 2) in its px, pixel centres at integers, or
    colour (V, 3) in [0, 1].
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None
    texture: np.ndarray | None
    colour: np.ndarray | None


@DATASETS.register_module()
class TexturedScans(DepthPairs):
    """Rendered scans, written by tools/dataset_converters/scans.py.

    Samples have `img_path`, `name`, `view` (6,), and `depth` (H, W) float32, 1.2 outside the head.
    Unlike that of `DepthPairs`, depth is not quantized to 8 bits.

    Raises:
        DataError: a scan's .npz is missing or malformed.
    """

    def get_data_info(self, idx: int) -> dict:
        """The sample before the pipeline."""
        info = super(DepthPairs, self).get_data_info(idx)
        path = Path(info.pop("depth_path")).with_suffix(".npz")
        if not path.is_file():
            tool = "tools/dataset_converters/scans.py"
            raise DataError(f"TexturedScans: '{path}' is missing; {tool} writes it")
        return dict(info, **read_exact(path))


def read_exact(path: Path) -> dict[str, np.ndarray]:
    """`depth` (H, W) and `view` (6,) of a rendered scan."""
    arrays = read_arrays(path)
    got = {name: arrays[name] for name in ("depth", "view") if name in arrays}
    shapes = {name: array.shape for name, array in got.items()}
    if len(shapes.get("depth", ())) != 2 or shapes.get("view") != (6,):
        raise DataError(f"'{path}' must hold depth (H, W) and view (6,), not {shapes}")
    return got


def read_scan(path) -> Scan:
    """The mesh of an OBJ, PLY or glTF file, rotated to our axes.

    Raises:
        DataError: the file is not readable, or has no triangles or colours.
    """
    import trimesh  # here, since all data sets are imported together

    try:
        mesh = trimesh.load(path, force="mesh", process=False)
        points, triangles = np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)
    except Exception as problem:  # each format has its own
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise DataError(f"scan '{path}' cannot be read ({reason})") from problem
    if not len(triangles) or not np.isfinite(points).all():
        raise DataError(f"scan '{path}' has no triangles, or points that are not finite")
    vertices = np.float32(points * [1, -1, -1])  # y up, z to the viewer -> y down, z away
    texture, uv = _texture(mesh), getattr(mesh.visual, "uv", None)
    if texture is not None and uv is not None and len(uv) == len(vertices):
        height, width = texture.shape[:2]
        uv = np.column_stack([uv[:, 0] * width, (1 - uv[:, 1]) * height]) - 0.5
        return Scan(vertices, triangles, np.float32(uv), texture, None)
    if mesh.visual.kind == "vertex":
        colour = np.float32(mesh.visual.vertex_colors[:, :3]) / 255
        return Scan(vertices, triangles, None, None, colour)
    raise DataError(f"scan '{path}' has neither a texture nor colours at its vertices")


def place_scan(scan: Scan, name: str = "scan") -> Scan:
    """The scan in scene units, frontal, with its face in the place of an aligned mean head's.

    Raises:
        NoFaceError: the rendered scan shows no face.
        PhotoError: landmarks lie beside the surface.
    """
    low, high = scan.vertices.min(0), scan.vertices.max(0)
    scale = 0.8 * TAN_HALF_VIEW / max((high - low)[:2].max() / 2, 1e-9)
    placed = replace(scan, vertices=(scan.vertices - (low + high) / 2) * scale + TURNING_POINT)
    for _ in range(ROUNDS):
        picture, depth = render_scan(placed, np.zeros(6), LOOK_PX, 1)
        found = FaceAligner().faces(picture, largest=True, name=name)[0].landmarks
        on_scan = _lift(found, depth)
        if on_scan is None:
            raise PhotoError(name, "its landmarks lie beside the surface")
        options = dict(reflection=False, return_cost=False)
        place = registration.procrustes(on_scan, mean_landmarks(), **options)
        placed = replace(placed, vertices=np.float32(transform_points(placed.vertices, place)))
    return placed


def render_scan(scan: Scan, view: np.ndarray, size: int, finer: int = FINER) -> tuple:
    """The photo (size, size, 3) uint8 and depth (size, size) float32 of a placed scan in `view`.

    Colours are supersampled by `finer` along each axis; depth is that of pixel centres.
    """
    points = (scan.vertices - TURNING_POINT) @ rotation(view[:3]).T + TURNING_POINT + view[3:]
    points = np.float32(points)
    depth = rasterize_mesh(project(points, size), scan.triangles, size)[2]
    depth = np.where(depth < BACKGROUND_DEPTH, depth, BACKGROUND_DEPTH).astype(np.float32)
    fine = size * finer
    face, weights, _ = rasterize_mesh(project(points, fine, finer), scan.triangles, fine)
    seen = face >= 0
    image = np.full((fine, fine, 3), GREY, np.float32)
    known = scan.colour if scan.texture is None else scan.uv
    values = interpolate(face[seen], weights[seen], scan.triangles, known)
    if scan.texture is not None:
        place = np.full((fine, fine, 2), -1, np.float32)
        place[seen] = values
        drawn = cv2.remap(
            scan.texture, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        values = drawn[seen].astype(np.float32) / 255
    image[seen] = values
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8), depth


def mean_landmarks() -> np.ndarray:
    """(5, 3) in scene units: the points of the mean head at the aligner's TEMPLATE.

    The synthetic heads are placed so that the aligner's crop is the whole picture.
    """
    model = HeadModel.load()
    points = project(model.vertices(), LOOK_PX)
    depth = rasterize_mesh(points, model.triangles, LOOK_PX)[2]
    return _lift(TEMPLATE * LOOK_PX - 0.5, depth)


def _lift(pixels: np.ndarray, depth: np.ndarray) -> np.ndarray | None:
    """(5, 3): the surface's points at pixels (5, 2) of a depth map; None if one is off the surface.

    In small holes, which scans have mostly at the eyes, the nearest pixel's depth is used.
    """
    size = len(depth)
    rows, columns = np.nonzero(depth < BACKGROUND_DEPTH)
    if not len(rows):
        return None
    away = np.hypot(columns - pixels[:, :1], rows - pixels[:, 1:])  # (5, pixels of the surface)
    nearest = away.argmin(1)
    if away.min(1).max() > HOLE * size:
        return None
    z = depth[rows[nearest], columns[nearest]]
    lines = (pixels - (size - 1) / 2) * (TAN_HALF_VIEW / ((size - 1) / 2))
    return np.column_stack([lines * z[:, None], z]).astype(np.float64)


def _texture(mesh) -> np.ndarray | None:
    material = getattr(mesh.visual, "material", None)
    for name in ("baseColorTexture", "image"):
        image = getattr(material, name, None)
        if image is not None:
            return np.array(image.convert("RGB"))
    return None


def yaw_views(yaws_deg: Sequence[float]) -> list[np.ndarray]:
    """Views (6,) that turn a head by these angles in degrees about y."""
    return [np.float32([0, np.radians(yaw), 0, 0, 0, 0]) for yaw in yaws_deg]
