"""Pastes a face back into the photo that it was cropped from. Ours."""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from ..data.crops import resizing
from ..data.photo import PhotoError, photo_size, read_photo, to_8bit

RIM = 0.12  # width of the blend at the crop's edge, in sides of the crop
RGB_PROFILES = ("RGB", "RGBA")  # modes whose colour profile applies to the output, too


def pasted(
    photo: Image.Image, face: np.ndarray, matrix: np.ndarray, region: np.ndarray | None = None
) -> Image.Image:
    """The photo, upright and at its own size, with a face blended into it.

    Alpha and the colour profile of RGB photos are kept. Pixels outside the face are unchanged. A
    grey photo remains grey.

    Args:
        face: (N, N, 3) uint8 RGB, the new crop.
        matrix: (2, 3) from px of the upright photo to px of the crop.
        region: (N, N) in [0, 1], the weight of the face; None is the whole crop. The weight fades
            out at the crop's edge.
    """
    upright, alpha = _parts(photo)
    weight = _rim(len(face)) if region is None else region * _rim(len(face))
    pixels = np.asarray(upright)
    into = np.asarray(matrix, np.float64)
    laid = _warped(face.astype(np.float32), into, pixels.shape)
    share = _warped(weight.astype(np.float32), into, pixels.shape).clip(0, 1)[..., None]
    mixed = np.rint(pixels + share * (laid.clip(0, 255) - pixels)).astype(np.uint8)
    whole = Image.fromarray(mixed)
    if photo.mode in ("1", "L", "LA", "La") or photo.mode.startswith(("I", "F")):
        whole = whole.convert("L")
    if alpha is not None:
        whole.putalpha(alpha)
    if photo.mode in RGB_PROFILES and "icc_profile" in photo.info:
        whole.info["icc_profile"] = photo.info["icc_profile"]
    return whole


def open_whole(path: str | os.PathLike) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """A photo for pasting, its pixels by `read_photo`, and the (3, 3) matrix between both.

    The matrix takes px of the upright photo to those of `read_photo`, which downsamples huge
    photos.

    Raises:
        UserError: the photo cannot be read.
    """
    pixels = read_photo(path)
    shrunk = pixels.shape[1] / photo_size(path)[0]
    try:
        photo = Image.open(Path(path))
        photo.load()
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(path, f"cannot be pasted into ({error})") from None
    return photo, pixels, resizing(shrunk)


def _parts(photo: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The upright photo as RGB, and its alpha channel, or None."""
    upright = ImageOps.exif_transpose(photo)
    if upright.mode == "PA" or "transparency" in upright.info:
        upright = upright.convert("RGBA")
    if upright.mode.startswith(("I", "F")):
        upright = Image.fromarray(to_8bit(np.asarray(upright)))
    if upright.mode in ("LA", "RGBA", "La", "RGBa"):
        upright = upright.convert("RGBA")
        return upright.convert("RGB"), upright.getchannel("A")
    return upright.convert("RGB"), None


def faded(mask: np.ndarray) -> np.ndarray:
    """(N, N) in [0, 1]: 1 inside a mask (N, N), falling smoothly to 0 at its edge."""
    within = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return _smooth(within / (RIM * len(mask)))


def _smooth(share: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * share.clip(0, 1))


def _rim(size: int) -> np.ndarray:
    """(size, size): 1 inside, falling smoothly to 0 at the outermost pixels."""
    inside = np.minimum(np.arange(size), np.arange(size)[::-1]) / max(1.0, RIM * (size - 1))
    return np.minimum.outer(_smooth(inside), _smooth(inside))


def _warped(crop: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The crop warped to a photo of that shape (H, W, ...); outside, a weight map is 0.

    If the photo is coarser than the crop, area averages avoid aliasing.
    """
    matrix, scale = matrix.copy(), float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale > 1:
        after = max(2, round(len(crop) / scale))
        step = len(crop) / after
        crop = cv2.resize(crop, (after, after), interpolation=cv2.INTER_AREA)
        matrix[:, 2] = (matrix[:, 2] + 0.5) / step - 0.5
        matrix[:, :2] /= step
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP  # linear: weights stay within 0 and 1
    edge = cv2.BORDER_CONSTANT if crop.ndim == 2 else cv2.BORDER_REPLICATE
    return cv2.warpAffine(crop, matrix, shape[1::-1], flags=flags, borderMode=edge)
