"""Refined landmarks of a detected face: CenterFace's, in an upright close-up.

CenterFace detects rolled faces, but with inaccurate landmarks, and with useless ones upside down.
FaceMesh gives the roll reliably, but its points are less stable under blur. So FaceMesh levels the
crop and CenterFace gives the landmarks. Figures: "How steady crops are" in docs/datasets.md.
"""

from dataclasses import replace

import numpy as np

from l2rkit.data.centerface import FoundFace, find_faces
from l2rkit.data.crops import MIRRORED, TEMPLATE, fit_similarity, warp
from l2rkit.landmarks.face_mesh import FaceMesh, Region
from l2rkit.landmarks.points import five_points

CLOSE_LOOKS = (48, 100)  # px of the face's width in CenterFace's close-ups
CLOSE_FIELD = 2.0  # width of a close-up / width of the face
LOOK = 192  # px of an aligned crop while the roll is determined
FIELD = 1.5  # side of the wider crop / side of the aligned crop
SEEN = 1.15  # side of FaceMesh's first region / side of the wider crop
WIDTH = 0.84  # width of a face / side of the aligned crop
SURE = 10.0  # log odds of an upright face; upside down they are 9 at most
TURNS_DEG = (0, 90, 180, 270)
UPRIGHT = 3.0  # prior odds of a roll below 45 degrees against other rolls
LEVEL_DEG = 2.0  # a larger change of roll needs a second pass


def closer_upright(photo: np.ndarray, face: FoundFace) -> FoundFace:
    """The face with landmarks by `closer_by_detector` in an upright crop; the box is unchanged."""
    matrix = level(photo, face)
    for _ in range(2):
        found = closer_by_detector(*placed(photo, matrix))
        points = back(found.landmarks, widened(matrix))
        matrix, before = start(points), matrix
        if lean_between(matrix, before) < LEVEL_DEG:
            break
    return replace(face, landmarks=points)


def closer_by_detector(photo: np.ndarray, face: FoundFace) -> FoundFace:
    """The face with CenterFace's landmarks averaged over close-ups and their mirror images.

    This reduces the landmarks' error by about a fifth, and a mirrored photo gets the mirrored crop.
    """
    points = []
    middle, width = face.box.reshape(2, 2).mean(0), float(np.diff(face.box[::2])[0])
    for goal in CLOSE_LOOKS:
        scale, size = goal / width, round(CLOSE_FIELD * goal)
        matrix = np.column_stack([np.eye(2) * scale, (size - 1) / 2 - scale * middle])
        seen = warp(photo, matrix, size)
        for mirrored in (False, True):
            found = find_faces(np.ascontiguousarray(seen[:, ::-1]) if mirrored else seen, 0.2)
            found = [each for each in found if np.all(abs(each.landmarks - size / 2) < size / 2)]
            if not found:
                continue
            there = found[0].landmarks
            if mirrored:
                there = (there * [-1, 1] + [size - 1, 0])[MIRRORED]
            points.append((there - matrix[:, 2]) / scale)
    return replace(face, landmarks=np.mean(points, axis=0)) if points else face


def level(photo: np.ndarray, face: FoundFace) -> np.ndarray:
    """(2, 3): the similarity from photo px to an upright crop of `LOOK` px.

    The detector's landmarks level the crop first. If FaceMesh's odds are below `SURE`, four more
    rolls are tried. If all are below, the roll of the highest `likelihood` is taken.
    """
    own = start(face.landmarks)
    matrix, odds = levelled(photo, own)
    if odds >= SURE:
        return matrix
    starts = [own, *(start(boxed(face.box, turn)) for turn in TURNS_DEG)]
    looks = [(matrix, odds), *(levelled(photo, each) for each in starts[1:])]
    matrix, odds = max(looks, key=lambda look: look[1])
    if odds >= SURE:
        return matrix
    likely = [
        likelihood(photo, each, odds) * (UPRIGHT if each[0, 0] > abs(each[1, 0]) else 1)
        for each, (_, odds) in zip(starts, looks)
    ]
    return starts[int(np.argmax(likely))]


def levelled(photo: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """The similarity (2, 3) to the crop levelled by FaceMesh's points, and the face's log odds."""
    mesh, wide = FaceMesh(rounds=2, mirrored=False), widened(matrix)
    crop = warp(photo, wide, round(FIELD * LOOK))
    middle = np.full(2, (len(crop) - 1) / 2)
    landmarks = mesh([crop], [Region(middle, SEEN * len(crop))])
    points = back(np.float64(five_points(landmarks[0])), wide)
    return start(points), float(mesh.presence([crop], landmarks)[0])


def likelihood(photo: np.ndarray, matrix: np.ndarray, odds: float) -> float:
    """0..1: CenterFace's score of an upright face in a crop, times FaceMesh's tempered probability.

    FaceMesh is more reliable on good photos, CenterFace on bad ones.
    """
    seen, _ = placed(photo, matrix, CLOSE_LOOKS[1])
    middle = (len(seen) - 1) / 2
    scores = [
        face.score
        for face in find_faces(seen, 0.05)
        if np.all(abs(face.box.reshape(2, 2).mean(0) - middle) < middle / 2)
    ]
    return max(scores, default=0.01) / (1 + np.exp(-odds / 4))


def placed(photo: np.ndarray, matrix: np.ndarray, width: float = WIDTH * LOOK) -> tuple:
    """The wider crop, in which the face is `width` px wide, and the expected face in it."""
    scale = width / (WIDTH * LOOK)
    wide, size = widened(matrix), round(scale * FIELD * LOOK)
    wide = np.column_stack([wide[:, :2] * scale, (wide[:, 2] + 0.5) * scale - 0.5])
    middle = (size - 1) / 2
    box = middle + width / 2 * np.array([-1, -1, 1, 1])
    points = ((TEMPLATE - 0.5) / FIELD + 0.5) * size - 0.5
    return warp(photo, wide, size), FoundFace(1.0, box, points)


def widened(matrix: np.ndarray) -> np.ndarray:
    """(2, 3): the similarity to the crop that is `FIELD` times as wide, with the same centre."""
    return matrix + np.array([[0, 0, 1], [0, 0, 1]]) * (FIELD - 1) / 2 * LOOK


def start(points: np.ndarray) -> np.ndarray:
    """(2, 3): the similarity from photo px to a crop of `LOOK` px that aligns points (5, 2)."""
    return fit_similarity(points, TEMPLATE * LOOK - 0.5)


def boxed(box: np.ndarray, turn_deg: float) -> np.ndarray:
    """(5, 2): the template's landmarks in a box (4,), rotated clockwise about its middle."""
    low, high = box.reshape(2, 2)
    angle = np.deg2rad(turn_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (TEMPLATE - 0.5) @ turn.T * np.sqrt(np.prod(high - low)) + (low + high) / 2


def back(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(N, 2): points (N, 2) under the inverse of a similarity (2, 3)."""
    return np.linalg.solve(matrix[:, :2], (points - matrix[:, 2]).T).T


def lean_between(matrix: np.ndarray, other: np.ndarray) -> float:
    """Degrees between the rotations of two similarities (2, 3)."""
    a, b = (complex(*each[:, 0]) for each in (matrix, other))
    return float(abs(np.degrees(np.angle(a / b))))
