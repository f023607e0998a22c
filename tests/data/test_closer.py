"""A face gives the same crop in rotated photos; hard photos give a crop or one line."""

import cv2
import numpy as np
import pytest

from l2rkit.data.align import FaceAligner, NoFaceError, turned_back
from l2rkit.data.centerface import FoundFace
from l2rkit.data.closer import (
    back,
    boxed,
    closer_by_detector,
    closer_upright,
    lean_between,
    start,
)
from l2rkit.data.crops import TEMPLATE
from l2rkit.data.heads.dataset import make_images

SIZE = 64
BORDER = 64
FRONTAL, TURNED, PROFILE = 8, 32, 72  # heads by their yaw: 5, -22 and -45 degrees


def photo_of(index):
    """(384, 384, 3): a synthetic head of 256 px within a border."""
    (head,) = make_images([index], seed=0, split="test", size=256)
    photo = np.rint(head["img"] * 255).astype(np.uint8)
    return cv2.copyMakeBorder(photo, *[BORDER] * 4, cv2.BORDER_REPLICATE)


@pytest.fixture(scope="module")
def photos():
    return [photo_of(FRONTAL), photo_of(TURNED)]


@pytest.fixture(scope="module")
def crops(photos):
    return [FaceAligner(SIZE).crop(photo)[1] for photo in photos]


def turned(photo, turn_deg):
    """The photo turned clockwise on a wider grey picture, and the matrix (2, 3) of its pixels."""
    angle, side = np.deg2rad(turn_deg), int(np.ceil(len(photo) * 1.5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (len(photo) - 1) / 2
    matrix = np.column_stack([turn, (side - 1) / 2 - turn @ [middle, middle]])
    return cv2.warpAffine(photo, matrix, (side, side), borderValue=(128, 128, 128)), matrix


def check_same(matrix, moved, own):
    """The crop of the moved photo shows what the photo's own crop shows."""
    there = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([moved, [0, 0, 1]])
    assert lean_between(there[:2], own) < 3
    assert np.hypot(*there[:2, 0]) / np.hypot(*own[:, 0]) == pytest.approx(1, abs=0.05)
    middle = back(np.array([[SIZE / 2, SIZE / 2]]), own)[0]
    assert np.hypot(*(there[:2] @ [*middle, 1] - SIZE / 2)) < 0.04 * SIZE


@pytest.mark.parametrize("turn_deg", range(0, 360, 15))
def test_turned_photos_give_the_same_crop(photos, crops, turn_deg):
    photo, matrix = turned(photos[0], turn_deg)
    check_same(FaceAligner(SIZE).crop(photo)[1], matrix, crops[0])


@pytest.mark.parametrize("turn_deg", [-60, 90, 120, 180])
def test_turned_photos_of_a_turned_head_give_the_same_crop(photos, crops, turn_deg):
    photo, matrix = turned(photos[1], turn_deg)
    check_same(FaceAligner(SIZE).crop(photo)[1], matrix, crops[1])


def test_right_angles_of_a_whole_photo_give_the_same_crop(photos, crops):
    aligner, last = FaceAligner(SIZE), len(photos[0]) - 1
    for quarters, matrix in (
        (1, [[0, 1, 0], [-1, 0, last]]),
        (2, [[-1, 0, last], [0, -1, last]]),
        (3, [[0, -1, last], [1, 0, 0]]),
    ):
        photo = np.ascontiguousarray(np.rot90(photos[0], quarters))
        check_same(aligner.crop(photo)[1], np.float64(matrix), crops[0])


def test_upright_faces_keep_the_detector_s_landmarks(photos):
    face = FaceAligner().faces(photos[0], largest=True)[0]
    found = FaceAligner(closer=closer_by_detector).faces(photos[0], largest=True)[0]
    away = np.linalg.norm(face.landmarks - found.landmarks, axis=1).mean()
    assert away < 0.08 * np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    np.testing.assert_array_equal(face.box, found.box)
    assert face.score == found.score


def test_landmarks_that_are_nonsense_are_found_again(photos):
    face = FaceAligner().faces(photos[0], largest=True)[0]
    scrambled = FoundFace(face.score, face.box, face.landmarks[[4, 3, 2, 1, 0]])
    again = closer_upright(photos[0], scrambled).landmarks
    away = np.linalg.norm(again - face.landmarks, axis=1).mean()
    assert away < 0.06 * np.linalg.norm(face.landmarks[1] - face.landmarks[0])


def test_turned_back_is_the_pixel_that_was_turned():
    photo = np.arange(7 * 11).reshape(7, 11)
    x, y = 2, 3
    for quarters in range(4):
        box = np.array([x, y, x + 1.0, y + 2])
        face = FoundFace(1.0, box, np.array([[x, y]] * 5))
        there = turned_back(face, photo.shape, quarters)
        column, row = there.landmarks[0].astype(int)
        assert photo[row, column] == np.rot90(photo, quarters)[y, x]
        sides = there.box[2:] - there.box[:2]
        assert sides.tolist() == ([1, 2] if quarters % 2 == 0 else [2, 1])


def test_boxed_faces_are_turned_clockwise():
    box = np.array([100.0, 50, 140, 90])
    upright = start((TEMPLATE - 0.5) * 40 + [120, 70])
    for turn_deg in (0, 90, 180, 270):
        points = boxed(box, turn_deg)
        assert lean_between(start(points), upright) == pytest.approx(min(turn_deg, 360 - turn_deg))
    assert boxed(box, 90)[0, 0] > 120  # the eyes are at the right, where a clock has three


def masked(photo):
    photo = photo.copy()
    photo[BORDER + 150 :] = (60, 90, 160)
    return photo


def tiny(photo):
    scene = np.full((200, 300, 3), 110, np.uint8)
    scene[90:106, 180:196] = cv2.resize(photo, (16, 16), interpolation=cv2.INTER_AREA)
    return scene  # the face is 12 px high


HARD = {
    "profile": lambda _: photo_of(PROFILE),
    "tiny": tiny,
    "masked": masked,
    "left half": lambda photo: np.ascontiguousarray(photo[:, : len(photo) // 2]),
    "lower half": lambda photo: np.ascontiguousarray(photo[len(photo) // 2 :]),
    "corner": lambda photo: np.ascontiguousarray(photo[100:, 120:]),
    "strip": lambda photo: np.ascontiguousarray(photo[180:184]),
    "noise": lambda photo: np.random.default_rng(0).integers(0, 256, photo.shape, np.uint8),
    "grey": lambda photo: np.full_like(photo, 128),
    "a pixel": lambda photo: photo[:1, :1],
}


@pytest.mark.parametrize("name", HARD)
def test_hard_photos_give_a_crop_or_one_line(photos, name):
    photo = HARD[name](photos[0])
    try:
        crop, matrix = FaceAligner(SIZE).crop(photo, name=name)
    except NoFaceError as error:
        assert name in str(error) and "\n" not in str(error)
        assert name not in ("profile", "masked")
    else:
        assert name not in ("noise", "grey", "a pixel", "strip")
        assert crop.shape == (SIZE, SIZE, 3) and crop.dtype == np.uint8
        assert np.isfinite(matrix).all() and np.hypot(*matrix[:, 0]) > 0


def test_a_face_at_the_border_is_cropped_as_in_the_whole_photo(photos, crops):
    cut = BORDER + 20
    there = FaceAligner(SIZE).crop(np.ascontiguousarray(photos[0][cut:, :-cut]))[1]
    check_same(there, np.array([[1.0, 0, 0], [0, 1, -cut]]), crops[0])
