"""All faces of a photo are found, small ones beside a large one, and no others."""

import cv2
import numpy as np
import pytest
from PIL import Image

from l2rkit.data.align import OVERLAP, TILE, FaceAligner, corners, inner, without_parts
from l2rkit.data.centerface import FoundFace
from l2rkit.zoo import zoo_file

ALIGNER = FaceAligner(64, closer=lambda photo, face: face)
PORTRAITS = [np.array(Image.open(zoo_file(f"samples/portrait_{i}.jpg"))) for i in range(1, 9)]


def scene(width: int, height: int, places: list[tuple[int, int, int]]) -> np.ndarray:
    """A grey photo with portraits, twice as wide as their faces, at x, y."""
    photo = np.full((height, width, 3), 150, np.uint8)
    for number, (x, y, face) in enumerate(places):
        side = (2 * face, 2 * face)
        small = cv2.resize(PORTRAITS[number % 8], side, interpolation=cv2.INTER_AREA)
        photo[y : y + 2 * face, x : x + 2 * face] = small
    return photo


@pytest.mark.parametrize("large", [[], [(50, 50, 600)]], ids=["small", "large and small"])
def test_small_faces_of_a_large_photo_are_found(large: list) -> None:
    small = [(1400 + 500 * i, 100 + 600 * j, 70) for i in range(4) for j in range(2)]
    found = ALIGNER.faces(scene(3500, 1300, [*large, *small]))
    assert len(found) == len(large) + len(small)
    middles = np.array([face.box.reshape(2, 2).mean(0) for face in found[len(large) :]])
    for x, y, side in small:
        assert np.hypot(*(middles - [x + side, y + side]).T).min() < side


@pytest.mark.parametrize("number", range(8))
def test_a_portrait_has_one_face(number: int) -> None:
    assert len(ALIGNER.faces(PORTRAITS[number])) == 1


def test_a_large_portrait_has_one_face() -> None:
    large = cv2.resize(PORTRAITS[0], None, fx=4.5, fy=4.5, interpolation=cv2.INTER_CUBIC)
    assert len(ALIGNER.faces(large)) == 1


@pytest.mark.parametrize("size", [(8, 9), (1600, 1601), (6000, 1200), (3333, 5000)])
def test_each_place_is_in_the_inner_part_of_a_tile(size: tuple[int, int]) -> None:
    for x, y in np.random.default_rng(0).uniform(0, 1, (200, 2)) * size:
        seen = 0
        for corner in corners(*size):
            box = np.array([x, y, x, y]) - np.tile(corner, 2)
            within = np.all((box[:2] >= 0) & (box[:2] <= TILE))
            seen += bool(within and inner(FoundFace(1.0, box, np.zeros((5, 2))), corner, size))
        assert seen >= 1
    assert len(corners(*size)) <= np.prod([side // (TILE - OVERLAP) + 1 for side in size])


def test_a_part_of_a_face_is_no_face() -> None:
    boxes = [(0, 0, 100, 100), (60, 20, 90, 40), (80, 0, 180, 100), (95, 95, 110, 110)]
    faces = [FoundFace(1.0, np.array(box, float), np.zeros((5, 2))) for box in boxes]
    faces = sorted(faces, key=lambda face: -face.area)
    assert {tuple(face.box) for face in without_parts(faces)} == {boxes[0], boxes[2], boxes[3]}
