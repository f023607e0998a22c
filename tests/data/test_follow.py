"""A face followed through frames, lost and found."""

import numpy as np
import pytest

from l2rkit.data import follow as module
from l2rkit.data.align import NoFaceError
from l2rkit.data.centerface import FoundFace
from l2rkit.data.crops import TEMPLATE
from l2rkit.data.follow import LOST_S, FaceFollower

FPS = 25


def face(x: float, width: float = 20.0) -> FoundFace:
    box = np.array([x - width / 2, 50 - width / 2, x + width / 2, 50 + width / 2])
    return FoundFace(0.9, box, (TEMPLATE - 0.5) * width + [x, 50])


class Scripted:
    """An aligner that finds the faces of a script in frames whose pixels say their number."""

    def __init__(self, script: list[list[FoundFace]]) -> None:
        self.script = script

    def closer(self, frame: np.ndarray, found: FoundFace) -> FoundFace:
        return found

    def faces(self, frame: np.ndarray, largest: bool) -> list[FoundFace]:
        assert largest
        found = sorted(self.script[int(frame[0, 0, 0])], key=lambda one: -one.area)
        if not found:
            raise NoFaceError("frame", "none")
        return found[:1]


def followed(script: list[list[FoundFace]], monkeypatch: pytest.MonkeyPatch) -> list:
    """The face's x in each frame, None where it is lost."""
    monkeypatch.setattr(module, "detect", lambda frame, looks, score: script[int(frame[0, 0, 0])])
    follow, found = FaceFollower(Scripted(script)), []
    for number in range(len(script)):
        try:
            one = follow(np.full((100, 200, 3), number, np.uint8), number / FPS)
            found.append(float(one.landmarks[:2, 0].mean()))
        except NoFaceError:
            found.append(None)
    return found


def test_it_stays_with_its_face_though_another_is_larger(monkeypatch) -> None:
    script = [[face(40 + i), face(150, 15 + 2 * i)] for i in range(10)]
    xs = followed(script, monkeypatch)
    assert all(abs(x - 40 - i) < 2 for i, x in enumerate(xs))


def test_it_waits_for_its_face_and_then_takes_another(monkeypatch) -> None:
    gone = int(LOST_S * FPS) + 2
    script = [[face(40), face(150, 15)], *([[face(150, 15)]] * gone)]
    xs = followed(script, monkeypatch)
    waited = int(LOST_S * FPS)
    assert xs[1 : 1 + waited] == [None] * waited
    assert xs[-1] == pytest.approx(150)  # at once where that one is: nothing of the old is left


def test_a_face_that_comes_back_is_found_again(monkeypatch) -> None:
    script = [[face(40)], [], [], [face(42), face(150, 60)]]
    xs = followed(script, monkeypatch)
    assert xs[1:3] == [None, None] and 40 < xs[3] < 42.01
    assert followed([[], [], [face(70)]], monkeypatch) == [None, None, pytest.approx(70)]


def test_a_jitter_is_smaller_after_it(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    jitter = rng.normal(scale=0.15, size=60)
    xs = followed([[face(40 + off)] for off in jitter], monkeypatch)
    assert np.std(np.diff(xs)) < 0.5 * np.std(np.diff(jitter))


def test_another_one_goes_on_from_its_state(monkeypatch) -> None:
    script = [[face(40 + i % 3), face(150, 30)] for i in range(8)]
    monkeypatch.setattr(module, "detect", lambda frame, looks, score: script[int(frame[0, 0, 0])])
    frames = [np.full((100, 200, 3), number, np.uint8) for number in range(8)]
    whole, first, second = (FaceFollower(Scripted(script)) for _ in range(3))
    for one in (whole, first):
        one.last = face(40)
    expected = [whole(frame, 1 + i / FPS) for i, frame in enumerate(frames)]
    for i in range(4):
        first(frames[i], 1 + i / FPS)
    second.load(first.state())
    for i in range(4, 8):
        np.testing.assert_array_equal(
            second(frames[i], 1 + i / FPS).landmarks, expected[i].landmarks
        )
    empty = FaceFollower(Scripted(script))
    assert empty.state() == {}
    empty.load({})
    assert empty.last is None
