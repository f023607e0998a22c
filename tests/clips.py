"""Videos for tests."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from l2rkit.data.video import set_up_ffmpeg


def write_clip(path: Path, frames: Iterable[np.ndarray], fps: float = 10) -> Path:
    """Writes frames (H, W, 3) uint8 RGB as a video of the kind that the suffix says."""
    set_up_ffmpeg()
    code = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = None
    for frame in frames:
        if writer is None:
            words = cv2.VideoWriter_fourcc(*code)
            writer = cv2.VideoWriter(str(path), words, fps, frame.shape[1::-1])
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def plain(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """Frames (H, W, 3), each of one grey that says its number."""
    return [np.full((*size, 3), 20 + 10 * number, np.uint8) for number in range(count)]
