"""FaceMesh follows shifts and mirroring of pictures, and refuses other networks."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from l2rkit.data.heads.dataset import make_images
from l2rkit.errors import WeightsError
from l2rkit.landmarks.face_mesh import (
    FaceMesh,
    Region,
    disagreement,
    eye_distance,
    mirrored_landmarks,
    mirrored_region,
    roll_of,
)
from l2rkit.landmarks.points import (
    LEFT_EYE_OUTER,
    LEFT_MOUTH,
    MEAN_FACE,
    MIRRORED,
    NOSE_TIP,
    RIGHT_EYE_OUTER,
    RIGHT_MOUTH,
)
from l2rkit.zoo import zoo_file

SIZE = 384  # heads of 256 px within a border


@pytest.fixture(scope="module")
def heads():
    made = make_images([4, 8, 40], seed=0, split="test", size=256)
    photos = [np.rint(head["img"] * 255).astype(np.uint8) for head in made]
    return [cv2.copyMakeBorder(each, *[64] * 4, cv2.BORDER_REPLICATE) for each in photos]


@pytest.fixture(scope="module")
def mesh():
    return FaceMesh()


@pytest.fixture(scope="module")
def found(mesh, heads):
    return mesh(heads)


def moved(photo, turn_deg=0.0, scale=1.0, shift=(0.0, 0.0)):
    """The picture turned clockwise and scaled about its middle; the matrix (2, 3) of its pixels."""
    angle, middle = np.deg2rad(turn_deg), (SIZE - 1) / 2
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, [middle, middle] - turn @ [middle, middle] + shift])
    return cv2.warpAffine(photo, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE), matrix


def carried(landmarks, matrix):
    scale = np.hypot(*matrix[:, 0])
    flat = landmarks[..., :2] @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([flat, scale * landmarks[..., 2:]], -1)


def test_a_level_face_has_no_roll_and_a_leaning_one_its_own():
    upright = MEAN_FACE * [100.0, 100, 100]
    assert roll_of(upright) == pytest.approx(0, abs=1e-3)
    for lean_deg in (-170, -90, -20, 30, 120):
        _, matrix = moved(np.zeros((2, 2, 3), np.uint8), lean_deg)
        assert np.degrees(roll_of(carried(upright, matrix))) == pytest.approx(lean_deg, abs=0.1)
    region = Region.around(carried(upright, matrix))
    level = carried(carried(upright, matrix), region.matrix())
    assert level[LEFT_EYE_OUTER, 0] < level[RIGHT_EYE_OUTER, 0]
    assert level[NOSE_TIP, 1] < level[LEFT_MOUTH, 1]  # eyes above, mouth below


def test_every_round_sees_the_face_upright(heads):
    for rounds in (1, 2, 3):
        points = FaceMesh(rounds=rounds)(heads)
        assert (points[:, LEFT_EYE_OUTER, 0] < points[:, RIGHT_EYE_OUTER, 0]).all()
        assert (points[:, LEFT_EYE_OUTER, 1] < points[:, LEFT_MOUTH, 1]).all()
    with pytest.raises(ValueError, match="rounds is at least 1, not 0"):
        FaceMesh(rounds=0)


def test_points_are_those_of_the_face(found):
    for landmarks in found:
        left, right = landmarks[LEFT_EYE_OUTER], landmarks[RIGHT_EYE_OUTER]
        assert landmarks[NOSE_TIP, 2] < min(left[2], right[2])  # nearer to the camera
        assert landmarks[LEFT_MOUTH, 0] < landmarks[RIGHT_MOUTH, 0]


@pytest.mark.parametrize(
    ("turn_deg", "scale", "shift"),
    [
        (-40, 1, (0, 0)),
        (15, 1.2, (3, -4)),
        (90, 1, (0, 0)),
        (170, 0.7, (-9.3, 4)),
        (0, 0.6, (8, 7)),
    ],
)
def test_the_picture_and_its_region_move_and_the_landmarks_likewise(
    mesh, heads, found, turn_deg, scale, shift
):
    placed = [moved(head, turn_deg, scale, shift) for head in heads]
    matrix = placed[0][1]
    whole = Region.aligned(heads[0])
    centre = matrix[:, :2] @ whole.centre + matrix[:, 2]
    region = Region(centre, scale * whole.side, np.deg2rad(turn_deg))
    there = mesh([photo for photo, _ in placed], [region] * len(heads))
    true = carried(found, matrix)
    assert (disagreement(there, true) < 0.04).all()
    depth = np.abs(there[..., 2] - true[..., 2]).mean(1)
    assert (depth < 0.04 * eye_distance(true)).all()


@pytest.mark.parametrize("turn_deg", [-30, -10, 10, 30])
def test_faces_that_lean_are_found_where_they_are(mesh, heads, found, turn_deg):
    turned = [moved(head, turn_deg) for head in heads]
    there = mesh([photo for photo, _ in turned])
    assert (disagreement(there, carried(found, turned[0][1])) < 0.06).all()


def test_whole_px_of_shift_with_the_region_change_nothing_else(mesh, heads):
    head, region = heads[0], Region.aligned(heads[0])
    wide = cv2.copyMakeBorder(head, 11, 0, 23, 0, cv2.BORDER_REPLICATE)
    there = mesh([wide], [Region(np.add(region.centre, [23, 11]), region.side)])
    np.testing.assert_allclose(there - np.float32([23, 11, 0]), mesh([head]), atol=0.05)


def test_mirror_images_have_mirrored_landmarks(mesh, heads, found):
    mirrored = mesh([np.ascontiguousarray(head[:, ::-1]) for head in heads])
    there = mirrored_landmarks(mirrored, SIZE)
    assert (disagreement(found, there) < 0.05).all()
    np.testing.assert_allclose(mirrored_landmarks(there, SIZE), mirrored, atol=1e-3)
    assert (MIRRORED[MIRRORED] == np.arange(len(MIRRORED))).all()


def test_checked_is_symmetric(mesh, heads):
    regions = [Region(np.array([190.0, 185.0]), 320.0, 0.1)] * len(heads)
    own, doubt = mesh.checked(heads, regions)
    flipped = [np.ascontiguousarray(head[:, ::-1]) for head in heads]
    other, same = mesh.checked(flipped, [mirrored_region(region, SIZE) for region in regions])
    np.testing.assert_allclose(mirrored_landmarks(other, SIZE), own, atol=0.05)
    np.testing.assert_allclose(same, doubt, atol=1e-3)


def test_disagreement_is_a_share_of_the_eyes_distance(found):
    shifted = found + np.float32([3, 4, 0])
    np.testing.assert_allclose(disagreement(found, shifted), 5 / eye_distance(found), rtol=1e-4)


def test_a_batch_is_one_by_one(mesh, heads, found):
    many = [heads[k % 3] for k in range(35)]  # more than go into one pass
    np.testing.assert_allclose(mesh(many), found[np.arange(35) % 3], atol=1e-2)
    np.testing.assert_allclose(mesh(heads[1:2]), found[1:2], atol=1e-2)
    assert mesh([]).shape == (0, 468, 3)


def test_two_threads_find_what_one_finds(mesh, heads, found):
    with ThreadPoolExecutor(2) as pool:
        for there in pool.map(lambda _: mesh(heads), range(6)):
            np.testing.assert_allclose(there, found, atol=1e-3)


def test_presence_knows_a_face_from_none_and_from_one_upside_down(mesh, heads, found):
    odds = mesh.presence(heads, found)
    assert (odds > 10).all()
    upside_down = [np.ascontiguousarray(head[::-1, ::-1]) for head in heads]
    assert (mesh.presence(upside_down, mesh(upside_down)) < odds - 10).all()
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    for picture in (noise, np.full((SIZE, SIZE, 3), 128, np.uint8)):
        there = mesh([picture])
        assert np.isfinite(there).all() and mesh.presence([picture], there)[0] < 0


def test_pictures_of_other_kinds_are_errors(mesh, heads):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8, got float32 \(384, 384, 3\)"):
        mesh([np.float32(heads[0]) / 255])
    with pytest.raises(ValueError, match=r"got uint8 \(384, 384\)"):
        mesh([heads[0][..., 0]])


def test_hard_pictures_have_finite_landmarks(mesh, heads):
    tiny = cv2.resize(heads[0], (12, 12), interpolation=cv2.INTER_AREA)
    masked, half = heads[0].copy(), heads[0][:, : SIZE // 2].copy()
    masked[SIZE // 2 :] = (60, 90, 160)
    for picture in (tiny, masked, half, heads[0][:1, :1].copy()):
        landmarks, doubt = mesh.checked([picture])
        assert np.isfinite(landmarks).all() and np.isfinite(doubt).all() and doubt[0] >= 0


def test_files_of_something_else_are_refused_in_one_line(tmp_path):
    whole = zoo_file("face_landmark.tflite").read_bytes()
    files = dict(
        half=whole[: len(whole) // 2],
        nearly=whole[:-1000],
        few=whole[:100],
        empty=b"",
        text=b"this is no network\n" * 100,
        onnx=zoo_file("centerface.onnx").read_bytes(),
    )
    for name, content in files.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(WeightsError) as caught:
            FaceMesh(weights=str(path))
        assert name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match=r"no weights at .*absent"):
        FaceMesh(weights=str(tmp_path / "absent.tflite"))
    with pytest.raises(WeightsError, match="no weights at"):
        FaceMesh(weights=str(tmp_path))
