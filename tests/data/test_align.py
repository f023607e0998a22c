"""Face detection: decoding, similarity, warp, and real faces."""

import cv2
import numpy as np
import pytest
from portraits import NUMBERS, landmarks
from portraits import portrait as portrait_of

from l2rkit.data.align import FaceAligner, NoFaceError
from l2rkit.data.centerface import NETWORK, OUTPUTS, FoundFace, decode, distinct
from l2rkit.data.crops import MIRRORED, TEMPLATE, fit_similarity, warp
from l2rkit.data.photo import PhotoError

RNG = np.random.default_rng(0)
UPRIGHT = 3  # the portrait of a face that looks straight ahead


@pytest.fixture(scope="module")
def portrait():
    return portrait_of(UPRIGHT)


def error(found, true):
    """Mean distance in units of the distance between the eyes."""
    return np.linalg.norm(found - true, axis=1).mean() / np.linalg.norm(true[1] - true[0])


def test_decode_reads_one_planted_face():
    heatmap, size = np.zeros((8, 10)), np.zeros((2, 8, 10))
    offset, landmarks = np.zeros((2, 8, 10)), np.zeros((10, 8, 10))
    heatmap[3, 5] = 0.9
    size[:, 3, 5] = np.log([6, 4])  # cells high and wide: 24 and 16 px
    offset[:, 3, 5] = 0.25, -0.5  # down, left
    landmarks[:, 3, 5] = np.array(
        [[0.4, 0.3], [0.4, 0.7], [0.6, 0.5], [0.8, 0.35], [0.8, 0.65]]
    ).ravel()
    (face,) = decode(heatmap, size, offset, landmarks)
    x, y = (5 + 0.5 - 0.5) * 4 - 0.5, (3 + 0.5 + 0.25) * 4 - 0.5  # the face's centre
    np.testing.assert_allclose(face.box, [x - 8, y - 12, x + 8, y + 12])
    np.testing.assert_allclose(face.landmarks[0], [x - 8 + 0.3 * 16, y - 12 + 0.4 * 24])
    np.testing.assert_allclose(face.landmarks[4], [x - 8 + 0.65 * 16, y - 12 + 0.8 * 24])
    assert face.score == 0.9 and face.area == 16 * 24


def test_distinct_keeps_the_surest_of_overlapping_faces():
    at = lambda score, x: FoundFace(score, np.array([x, 0.0, x + 10, 10]), np.zeros((5, 2)))  # noqa: E731
    kept = distinct([at(0.6, 0), at(0.9, 1), at(0.7, 30)])
    assert [face.score for face in kept] == [0.9, 0.7]
    # these two share 50 of 150 square px
    assert len(distinct([at(0.6, 0), at(0.9, 5)], 0.34)) == 2
    assert len(distinct([at(0.6, 0), at(0.9, 5)], 0.33)) == 1
    assert distinct([]) == []


def test_network_agrees_with_onnxruntime(portrait):
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="the detector is compared with ONNX Runtime, which is not installed"
    )
    picture = np.ascontiguousarray(portrait[128:352, 64:320].transpose(2, 0, 1)[None], np.float32)
    network = cv2.dnn.readNetFromONNX(str(NETWORK))
    network.setInput(picture)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    other = onnxruntime.InferenceSession(str(NETWORK), options).run(OUTPUTS, {"photo": picture})
    for ours, theirs in zip(network.forward(OUTPUTS), other):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_similarity_is_found_exactly():
    angle, scale, shift = 0.4, 1.7, [3, -5]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([scale * turn, shift])
    points = RNG.normal(size=(5, 2))
    np.testing.assert_allclose(fit_similarity(points, points @ matrix[:, :2].T + shift), matrix)


def test_similarity_is_the_least_squares_one():
    points, targets = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))
    rows = [r for x, y in points for r in ([x, -y, 1, 0], [y, x, 0, 1])]
    (a, b, tx, ty), *_ = np.linalg.lstsq(np.array(rows), targets.ravel(), rcond=None)
    np.testing.assert_allclose(fit_similarity(points, targets), [[a, -b, tx], [b, a, ty]])


def test_matrix_takes_a_face_of_the_template_s_shape_to_the_template():
    landmarks = TEMPLATE * 200 + [40, 30]
    matrix = FaceAligner(64).matrix(FoundFace(1.0, np.zeros(4), landmarks))
    np.testing.assert_allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], TEMPLATE * 64 - 0.5)


def test_template_is_its_own_mirror_image():
    np.testing.assert_allclose(TEMPLATE[MIRRORED] * [-1, 1] + [1, 0], TEMPLATE)


@pytest.mark.parametrize("scale", [0.25, 0.4, 1.0, 2.5])
def test_warp_puts_pixels_where_the_matrix_says(scale):
    x, y = np.meshgrid(np.arange(300), np.arange(240))
    ramp = np.dstack([x * 0.8, y, np.zeros_like(x)]).astype(np.uint8)
    matrix = np.array([[scale, 0.1 * scale, -12.3], [-0.1 * scale, scale, 6.1]])
    crop = warp(ramp, matrix, 32)
    inverse = cv2.invertAffineTransform(matrix)
    for u, v in [(10, 12), (20, 15), (16, 28)]:
        px, py = inverse @ [u, v, 1]
        np.testing.assert_allclose(crop[v, u, :2], [0.8 * px, py], atol=1.5)


def test_warp_continues_the_edge():
    photo = np.full((20, 20, 3), 90, np.uint8)
    assert (warp(photo, np.array([[1.0, 0, 50], [0, 1, 50]]), 16) == 90).all()


def test_shrinking_does_not_alias():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = warp(stripes, np.array([[0.1, 0, 0.0], [0, 0.1, 0]]), 32)
    assert crop[4:-4, 4:-4].std() < 3


@pytest.mark.parametrize("number", NUMBERS)
def test_portraits_are_found(number):
    (face,) = FaceAligner().faces(portrait_of(number))
    assert error(face.landmarks, landmarks(number)) < 0.09
    assert face.score > 0.88


def test_mirrored_photo_gives_the_mirrored_face():
    errors = []
    for photo in map(portrait_of, NUMBERS):
        face = FaceAligner().faces(photo, largest=True)[0]
        other = FaceAligner().faces(np.ascontiguousarray(photo[:, ::-1]), largest=True)[0]
        back = (other.landmarks * [-1, 1] + [photo.shape[1] - 1, 0])[MIRRORED]
        errors.append(error(back, face.landmarks))
    assert np.mean(errors) < 0.015 and max(errors) < 0.03


@pytest.mark.parametrize("number", NUMBERS)
def test_degraded_portrait_is_cropped_alike(number):
    photo = portrait_of(number, "_severe")
    (face,) = FaceAligner().faces(photo)
    assert error(face.landmarks, landmarks(number, photo)) < 0.11
    found, true = (FaceAligner(64).crop(each)[0].mean(2) for each in (photo, portrait_of(number)))
    soft = [cv2.GaussianBlur(each, (0, 0), 3) for each in (found, true)]
    assert np.corrcoef(soft[0].ravel(), soft[1].ravel())[0, 1] > 0.96


def small(photo):
    """Shrunk to a face 48 px wide, JPEG quality 30."""
    shrunk = cv2.resize(photo, None, fx=48 / 164, fy=48 / 164, interpolation=cv2.INTER_AREA)
    return cv2.imdecode(cv2.imencode(".jpg", shrunk, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)


def old(photo):
    """A print: grey, soft, faded, with grain of 5 %."""
    grey = cv2.cvtColor(cv2.GaussianBlur(photo, (0, 0), 2.2), cv2.COLOR_RGB2GRAY) / 255
    grain = np.random.default_rng(0).normal(0, 0.05, grey.shape)
    faded = np.clip(0.3 + 0.5 * grey + grain, 0, 1) * 255
    return np.dstack([faded.astype(np.uint8)] * 3)


def blurred(photo):
    """Out of focus."""
    return cv2.GaussianBlur(photo, (0, 0), 5.6)


@pytest.mark.parametrize("damage", [small, blurred, old])
def test_other_damage_is_cropped_alike(portrait, damage):
    found, true = (FaceAligner(64).crop(p)[0].mean(2) for p in (damage(portrait), portrait))
    soft = [cv2.GaussianBlur(each, (0, 0), 3) for each in (found, true)]
    assert np.corrcoef(soft[0].ravel(), soft[1].ravel())[0, 1] > 0.96


@pytest.mark.parametrize("size", [32, 64, 600])
def test_face_that_fills_the_photo_is_found_in_place(portrait, size):
    tight, _ = FaceAligner(size).crop(portrait)
    face = FaceAligner().faces(tight, largest=True)[0]
    assert error(face.landmarks, TEMPLATE * size - 0.5) < 0.15


def test_small_face_in_a_large_photo_and_all_faces(portrait):
    scene = np.full((1600, 2400, 3), 100, np.uint8)
    tiny = cv2.resize(portrait, (45, 60), interpolation=cv2.INTER_AREA)  # face 19 px wide
    scene[1000:1060, 1700:1745] = tiny
    with_tiny = FaceAligner().faces(scene)
    assert len(with_tiny) == 1
    assert error(with_tiny[0].landmarks, landmarks(UPRIGHT, tiny) + np.array([1700, 1000])) < 0.15
    other = cv2.resize(portrait_of(4), (219, 307), interpolation=cv2.INTER_AREA)
    pair = np.full((512, 219 + portrait.shape[1], 3), 100, np.uint8)
    pair[100:407, :219], pair[:, 219:] = other, portrait
    faces = FaceAligner().faces(pair)
    assert len(faces) == 2 and faces[0].area > faces[1].area
    assert error(faces[0].landmarks, landmarks(UPRIGHT) + np.array([219, 0])) < 0.1
    assert error(faces[1].landmarks, landmarks(4, other) + np.array([0, 100])) < 0.1


def test_no_face_is_one_line_that_names_the_photo():
    for picture in (np.full((100, 100, 3), 120), RNG.integers(0, 256, (200, 160, 3))):
        with pytest.raises(NoFaceError, match=r"wall.jpg.*no face found") as caught:
            FaceAligner().crop(picture.astype(np.uint8), name="wall.jpg")
        assert isinstance(caught.value, PhotoError) and "\n" not in str(caught.value)


def test_wrong_pictures_are_errors(portrait):
    with pytest.raises(ValueError, match=r"uint8 photo, got float64 \(512, 388, 3\)"):
        FaceAligner().faces(portrait / 255)
    with pytest.raises(ValueError, match=r"\(5, 2\) template, got \(2,\)"):
        FaceAligner(template=[0, 1])
