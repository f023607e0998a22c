"""Videos from disk: frames as (H, W, 3) uint8 RGB, upright, or one clear line."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from .photo import MOST_BYTES, SMALLEST_SIDE

SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"}
# How the files of these containers begin; a playlist, which names other files, is none of them
BEGINNINGS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"))
BEGINNINGS += ((0, b"RIFF"), (0, b"\x1aE\xdf\xa3"))
MOST_FRAMES = 20_000  # 11 minutes of 30 a second
BYTES_PER_PIXEL = 36  # of memory: the decoder keeps 16 frames of 1.5 bytes, and there are copies
MOST_FPS, USUAL_FPS = 240.0, 25.0


class VideoError(UserError):
    """A video cannot be used; the message is one line that names the file and the reason."""

    def __init__(self, path: str | os.PathLike, reason: str) -> None:
        super().__init__(f"video '{path}': {reason}")


@dataclass(frozen=True)
class Video:
    """A video file: frames as its header counts them, frames per second, px when upright."""

    path: Path
    frames: int
    fps: float
    width: int
    height: int


def is_video(path: str | os.PathLike) -> bool:
    """Whether a path is called as videos are."""
    return Path(path).suffix.lower() in SUFFIXES


def open_video(path: str | os.PathLike) -> Video:
    """What a file says of itself, its first frame decoded.

    Raises:
        VideoError: it cannot be read, or is larger than is taken.
    """
    with _capture(Path(path)) as capture:
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        fps = capture.get(cv2.CAP_PROP_FPS)
        height, width = _upright(path, capture).shape[:2]
    known = math.isfinite(fps) and 0 < fps <= MOST_FPS
    count = int(frames) if math.isfinite(frames) and frames >= 1 else 1
    if count > MOST_FRAMES:
        raise VideoError(path, f"has {count} frames; the limit is {MOST_FRAMES}: cut it into parts")
    return Video(Path(path), count, fps if known else USUAL_FPS, width, height)


def read_frames(path: str | os.PathLike, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Each frame's number, from `first` on, and its pixels (H, W, 3) uint8 RGB.

    Ends where the file ends, or can be read no more.

    Raises:
        VideoError: as above.
    """
    with _capture(Path(path)) as capture:
        number = 0
        while number < first and capture.grab():  # seeking is not exact
            number += 1
        while number == first or number < MOST_FRAMES:
            there, frame = capture.read()
            if not there or frame is None:
                return
            yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            number += 1


def _upright(path: str | os.PathLike, capture: cv2.VideoCapture) -> np.ndarray:
    """The first frame, which is upright and may be smaller than the limits."""
    width, height = (capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if not 0 <= width * height * BYTES_PER_PIXEL <= MOST_BYTES:
        wants = width * height * BYTES_PER_PIXEL / 1e9
        raise VideoError(
            path,
            f"{width:.0f} x {height:.0f} px want {wants:.1f} GB to be read; "
            f"the limit is {MOST_BYTES / 1e9:.1f}",
        )
    there, frame = capture.read()
    if not there or frame is None:
        raise VideoError(path, "holds no frame that can be read: damaged, or cut short")
    if min(frame.shape[:2]) < SMALLEST_SIDE:
        said = f"is {frame.shape[1]} x {frame.shape[0]} px"
        raise VideoError(path, f"{said}, at least {SMALLEST_SIDE} px a side are needed")
    return frame


@contextmanager
def _capture(path: Path) -> Iterator[cv2.VideoCapture]:
    """The file opened by OpenCV's FFmpeg, which may read nothing but this file and says nothing."""
    _check_file(path)
    try:
        with quiet():
            capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
            try:
                if not capture.isOpened():
                    raise VideoError(path, "is damaged, cut short, or in a coding not known here")
                yield capture
            finally:
                capture.release()
    except cv2.error as problem:
        raise VideoError(path, f"is damaged ({problem.err})") from problem


@contextmanager
def quiet() -> Iterator[None]:
    """Has OpenCV and its FFmpeg say nothing."""
    set_up_ffmpeg()
    log = cv2.utils.logging
    level = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)


def set_up_ffmpeg() -> None:
    """Has OpenCV's FFmpeg say nothing and read files only, if it is not in use already."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")


def _check_file(path: Path) -> None:
    if os.path.isdir(path):
        raise VideoError(path, "is a folder, a video was wanted")
    try:
        with open(path, "rb") as file:
            begin = file.read(12)
    except PermissionError:
        raise VideoError(path, "may not be read (permission denied)") from None
    except (OSError, ValueError):
        raise VideoError(path, "no such file") from None
    if not begin:
        raise VideoError(path, "is empty (0 bytes)")
    if not any(begin[at:].startswith(word) for at, word in BEGINNINGS):
        raise VideoError(path, f"is not a video in a known format (begins with {begin!r})")
