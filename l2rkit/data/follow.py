"""Follows one face through the frames of a video. Ours."""

from dataclasses import replace

import numpy as np

from ..ops.one_euro import OneEuro
from .align import LOOKS, FaceAligner, NoFaceError, detect
from .centerface import FoundFace

FOLLOWED = 0.3  # least detection score of a face that was seen just before
LOST_S = 0.5  # time without the face after which the largest face is followed
MOVES = 1.0  # largest movement between two detections, in face widths
GROWS = 2.0  # largest change of size between two detections, a factor
STEADY_HZ, QUICK = 1.5, 10.0  # of `OneEuro` for landmarks in face widths; the lag is below 0.016


class FaceFollower:
    """Finds the same face in successive frames, and smooths its landmarks.

    It starts with the largest face. In later frames it takes the face nearest to the last position.
    After `LOST_S` seconds without the face it starts again with the largest one.
    """

    def __init__(self, aligner: FaceAligner) -> None:
        self.aligner = aligner
        self.smooth = OneEuro(STEADY_HZ, QUICK)
        self.last: FoundFace | None = None
        self.seen_s, self.width = 0.0, 1.0
        self.began = False

    def __call__(self, frame: np.ndarray, time_s: float) -> FoundFace:
        """The face in a frame (H, W, 3) uint8 RGB. Times increase from call to call.

        Raises:
            NoFaceError: the face is not found.
        """
        if self.last is not None and time_s - self.seen_s > LOST_S:
            self.last = None
            self.smooth.forget()
        self.began = self.last is None
        if self.last is None:
            found = self.aligner.faces(frame, largest=True)[0]
            self.width = max(1.0, float(np.diff(found.box[::2])[0]))
        else:
            found = self.aligner.closer(frame, self._nearest(frame, self.last))
        self.last, self.seen_s = found, time_s
        points = self.smooth(found.landmarks / self.width, time_s) * self.width
        return replace(found, landmarks=points)

    def _nearest(self, frame: np.ndarray, last: FoundFace) -> FoundFace:
        near = [face for face in detect(frame, LOOKS, FOLLOWED) if is_near(face, last)]
        if not near:
            raise NoFaceError("frame", "the face is not there")
        return min(near, key=lambda face: distance(face, last))

    def state(self) -> dict[str, np.ndarray]:
        """The state, for `load`."""
        if self.last is None:
            return {}
        box = np.concatenate([[self.last.score, self.seen_s, self.width], self.last.box])
        return {"box": box, "points": self.last.landmarks, **self.smooth.state()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Continues from a `state`."""
        if state:
            score, self.seen_s, self.width, *box = state["box"].tolist()
            self.last = FoundFace(score, np.array(box), state["points"])
            self.smooth.load(state)


def distance(face: FoundFace, other: FoundFace) -> float:
    """The distance between the centres of two boxes, in widths of the larger one."""
    middles = [each.box.reshape(2, 2).mean(0) for each in (face, other)]
    widths = [float(np.diff(each.box[::2])[0]) for each in (face, other)]
    return float(np.hypot(*(middles[0] - middles[1])) / max(widths))


def is_near(face: FoundFace, other: FoundFace) -> bool:
    """Whether two detections in successive frames may be the same face."""
    ratio = (face.area / max(other.area, 1e-9)) ** 0.5
    return distance(face, other) <= MOVES and 1 / GROWS <= ratio <= GROWS
