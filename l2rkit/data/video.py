"""Reads videos: upright frames (H, W, 3) uint8 RGB. Errors are one line."""

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

# First bytes of files of these containers. Playlists, which name other files, are refused.
BEGINNINGS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"))
BEGINNINGS += ((0, b"RIFF"), (0, b"\x1aE\xdf\xa3"))
MOST_FRAMES = 20_000  # 11 minutes at 30 frames per second
BYTES_PER_PIXEL = 36  # of memory: the decoder's 16 frames of 1.5 bytes, and copies
MOST_FPS, USUAL_FPS = 240.0, 25.0


class VideoError(UserError):
    """A video cannot be used; the message is one line that names the file and the reason."""

    def __init__(self, path: str | os.PathLike, reason: str) -> None:
        super().__init__(f"video '{path}': {reason}")


@dataclass(frozen=True)
class Video:
    """A video file: number of frames by its header, frames per second, upright size in px."""

    path: Path
    frames: int
    fps: float
    width: int
    height: int


def open_video(path: str | os.PathLike) -> Video:
    """The properties of a video file, whose first frame is decoded as a check.

    Raises:
        VideoError: the file cannot be read, or exceeds a limit.
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
    """Yields each frame's number, from `first` on, and its pixels (H, W, 3) uint8 RGB.

    Ends at the end of the file, or at the first unreadable frame.

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
    """The first frame, upright. Raises VideoError if its size is beyond the limits."""
    width, height = (capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if not 0 <= width * height * BYTES_PER_PIXEL <= MOST_BYTES:
        needed = width * height * BYTES_PER_PIXEL / 1e9
        raise VideoError(
            path,
            f"{width:.0f} x {height:.0f} px need {needed:.1f} GB to be read; "
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
    """The file opened by OpenCV's FFmpeg, which prints nothing and opens no other resources."""
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
    """Silences OpenCV's FFmpeg and restricts it to files, unless the environment sets it up."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")


def _check_file(path: Path) -> None:
    if os.path.isdir(path):
        raise VideoError(path, "is a folder; expected a video")
    if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe waits for a writer
        raise VideoError(path, "is a pipe or a device; expected a file")
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
