"""Side-by-side videos: each frame, the face rendered in it, and the face turned."""

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from ..data.video import quiet
from ..errors import UserError
from ..io.files import MP4_MARK

if TYPE_CHECKING:
    from ..apis.reconstruction import Reconstruction

HEIGHT = 360  # px; largest height of the video
PLAYED = "vp09"  # VP9, which browsers play
CODINGS = (PLAYED, "mp4v")  # in order of preference; depends on OpenCV's FFmpeg
YAW_DEG, ROUND_S = 35.0, 4.0  # the face swings by this angle to both sides, in this time
WHITE = 255


def beside(frame: np.ndarray, face: "Reconstruction | None", time_s: float) -> np.ndarray:
    """(h, w, 3) uint8: the frame (H, W, 3), the face rendered in the frame, and the face turned.

    h and w are even, as video codecs need. Without a face the second and third are white.
    """
    height = even(min(HEIGHT, frame.shape[0]))
    scale = height / frame.shape[0]
    width = even(scale * frame.shape[1])
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    if face is None:
        return np.pad(small, ((0, 0), (0, width + height), (0, 0)), constant_values=WHITE)
    step = np.array([frame.shape[1] / width, frame.shape[0] / height])
    larger = np.column_stack([np.diag(step), step / 2 - 0.5])  # from the small frame to the frame
    matrix = face.crop @ np.vstack([larger, [0, 0, 1]])
    drawn = replace(face, crop=matrix, photo_size=None).paste(Image.fromarray(small))
    turned = face.render(YAW_DEG * math.sin(2 * math.pi * time_s / ROUND_S), size=height)
    return np.concatenate([small, np.asarray(drawn), np.asarray(turned)], 1)


def even(size: float) -> int:
    """The nearest even integer, at least 2."""
    return max(2, 2 * round(size / 2))


def write_mp4(path: Path, pictures: Iterable[np.ndarray], fps: float) -> str:
    """Writes pictures (h, w, 3) uint8 RGB of one even size as an MP4 file. Returns its coding.

    The file carries l2rkit's mark; a failed write leaves none. A link at `path` is not followed.

    Raises:
        UserError: this OpenCV writes no videos.
        OSError: the file is incomplete, as on a full disk.
    """
    path.unlink(missing_ok=True)
    writer, coding, count = None, "", 0
    try:
        for picture in pictures:
            if writer is None:
                coding, writer = _opened(path, fps, picture.shape[1::-1])
            writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            count += 1
        if writer is None:
            raise ValueError("write_mp4 expects at least one picture")
        writer.release()
        check = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        whole = int(check.get(cv2.CAP_PROP_FRAME_COUNT)) == count
        check.release()
        if not whole:  # OpenCV reports no full disk
            raise OSError(28, os.strerror(28), str(path))
        with path.open("ab") as file:
            file.write((len(MP4_MARK) + 4).to_bytes(4, "big") + MP4_MARK)
    except BaseException:
        if writer is not None:
            writer.release()
        path.unlink(missing_ok=True)
        raise
    return coding


def _opened(path: Path, fps: float, size: tuple[int, ...]) -> tuple[str, cv2.VideoWriter]:
    """A writer of frames of a size (width, height), and its coding, the first that is there."""
    with quiet():
        for coding in CODINGS:
            code = cv2.VideoWriter_fourcc(*coding)
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, size)
            if writer.isOpened():
                return coding, writer
    raise UserError(f"cannot write {path.name}: this OpenCV writes no MP4 videos")
