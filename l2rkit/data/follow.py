"""One face through the frames of a video. Ours."""

from dataclasses import replace

import numpy as np

from ..ops.one_euro import OneEuro
from .align import LOOKS, FaceAligner, NoFaceError, detect
from .centerface import FoundFace

FOLLOWED = 0.3  # the least score of a face where one was just before
LOST_S = 0.5  # after so long without it, the largest face is followed
NEAR = 1.0  # face widths that it moves, at most, from one sight to the next
GROWS = 2.0  # factor by which its size changes, at most
STEADY_HZ, QUICK = 1.5, 10.0  # of `OneEuro`, for landmarks in face widths: lags by 0.016 at most


class FaceFollower:
    """Called with frame after frame, finds the same face in each, its landmarks smoothed.

    The first is the largest face of its frame. Later it is the face nearest to where it was; one
    that was lost for `LOST_S` seconds is forgotten, and the largest face is followed again.
    """

    def __init__(self, aligner: FaceAligner) -> None:
        self.aligner = aligner
        self.smooth = OneEuro(STEADY_HZ, QUICK)
        self.last: FoundFace | None = None
        self.seen_s, self.width = 0.0, 1.0
        self.began = False

    def __call__(self, frame: np.ndarray, time_s: float) -> FoundFace:
        """The face in a frame (H, W, 3) uint8 RGB at a time that is later than the last.

        Raises:
            NoFaceError: it is not there.
        """
        if self.last is not None and time_s - self.seen_s > LOST_S:
            self.last = None
            self.smooth.forget()
        self.began = self.last is None
        if self.last is None:
            found = self.aligner.faces(frame, largest=True)[0]
            self.width = max(1.0, float(np.diff(found.box[::2])[0]))
        else:
            found = self.aligner.closer(frame, self._again(frame, self.last))
        self.last, self.seen_s = found, time_s
        points = self.smooth(found.landmarks / self.width, time_s) * self.width
        return replace(found, landmarks=points)

    def _again(self, frame: np.ndarray, last: FoundFace) -> FoundFace:
        near = [face for face in detect(frame, LOOKS, FOLLOWED) if is_near(face, last)]
        if not near:
            raise NoFaceError("frame", "the face is not there")
        return min(near, key=lambda face: distance(face, last))

    def state(self) -> dict[str, np.ndarray]:
        """What it remembers, for `load`."""
        if self.last is None:
            return {}
        box = np.concatenate([[self.last.score, self.seen_s, self.width], self.last.box])
        return {"box": box, "points": self.last.landmarks, **self.smooth.state()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Goes on where another follower's `state` ended."""
        if state:
            score, self.seen_s, self.width, *box = state["box"].tolist()
            self.last = FoundFace(score, np.array(box), state["points"])
            self.smooth.load(state)


def distance(face: FoundFace, other: FoundFace) -> float:
    """Between the middles of two boxes, in widths of the larger one."""
    middles = [each.box.reshape(2, 2).mean(0) for each in (face, other)]
    widths = [float(np.diff(each.box[::2])[0]) for each in (face, other)]
    return float(np.hypot(*(middles[0] - middles[1])) / max(widths))


def is_near(face: FoundFace, other: FoundFace) -> bool:
    """Whether two faces may be the same one, a moment apart."""
    ratio = (face.area / max(other.area, 1e-9)) ** 0.5
    return distance(face, other) <= NEAR and 1 / GROWS <= ratio <= GROWS
