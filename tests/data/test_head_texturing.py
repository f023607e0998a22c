"""Kernels that texture and shade a head: known normals, colours, depths and highlights."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from l2rkit.data.heads import HeadModel
from l2rkit.data.heads.albedo import Surface, _cavity
from l2rkit.data.heads.portrait import _fixed, _layers, _lit, _maps, _with_slopes
from l2rkit.data.heads.relief import MM
from l2rkit.data.heads.render import BACKGROUND_DEPTH, TAN_HALF_VIEW
from l2rkit.data.heads.skins import Skin
from l2rkit.data.heads.texturing import (
    ALONG_U,
    ALONG_V,
    COLUMNS,
    EYE_PART,
    EYE_UV,
    INSIDE,
    MOUTH,
    OPEN,
    SKIN,
    TEETH,
    TONGUE,
    TOOTH,
    UV,
    _bilinear,
    covered,
    front_triangles,
    lit,
    surface_gradients,
    textured,
)

TONGUE_PART = 3  # of HeadModel.part
AHEAD = (0.0, 0.0, -1.0)


def unit(*values):
    return np.float32(values) / np.float32(np.linalg.norm(values))


# Sampling and geometry


def test_pictures_are_sampled_as_opencv_does():
    """At multiples of 1/32 px, where OpenCV's weights are exact, inside and beyond the edges."""
    rng = np.random.default_rng(0)
    picture = rng.random((5, 7, 3)).astype(np.float32)
    x, y = rng.integers(-64, 32 * 9, (2, 200)).astype(np.float32) / 32
    expected = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    out = np.zeros((200, 3), np.float32)
    for i in range(200):
        _bilinear(picture, float(x[i]), float(y[i]), out[i])
    np.testing.assert_allclose(out, expected.reshape(200, 3), atol=1e-5)


def test_surface_gradients_are_averages_by_area_without_the_seam():
    """The gradient g of f on a triangle has g.edge = df for its edges and g.normal = 0."""
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.01, (7, 3)).astype(np.float32)
    triangles = np.int32([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5], [0, 2, 5], [0, 1, 6]])
    uv = rng.uniform(0.4, 0.6, (7, 2)).astype(np.float32)
    uv[5:, 0] = 0.95  # beyond the seam: a second and a third corner
    expected, total = np.zeros((7, 2, 3)), np.zeros(7)
    for corners in triangles:
        if np.ptp(uv[corners, 0]) > 0.3:
            continue
        a, b = points[corners[1:]] - points[corners[0]]
        normal = np.cross(a, b)
        for f in (0, 1):
            df = uv[corners[1:], f] - uv[corners[0], f]
            gradient = np.linalg.solve(np.stack([a, b, normal]), [*df, 0])
            expected[corners, f] += np.linalg.norm(normal) * gradient
        total[corners] += np.linalg.norm(normal)
    expected[total > 0] /= total[total > 0, None, None]
    out = surface_gradients(points, triangles, uv).reshape(7, 2, 3)
    np.testing.assert_allclose(out, expected, rtol=1e-3, atol=1e-5)
    assert (out[5:] == 0).all() and (total[:5] > 0).all()


@pytest.mark.parametrize(
    ("middle", "kept"),
    [
        ((4.0, 4.0), True),
        ((-1.5, 4.0), True),  # cut by an edge of the picture
        ((4.0, -1.5), True),
        ((8.5, 4.0), True),
        ((4.0, 8.5), True),
        ((-4.0, 4.0), False),
        ((4.0, -4.0), False),
        ((12.0, 4.0), False),
        ((4.0, 12.0), False),
    ],
)
def test_triangles_are_kept_where_they_face_and_overlap_the_picture(middle, kept):
    corners = np.array([[-2.0, -2.0], [-2.0, 2.0], [2.0, -2.0]]) + middle
    facing, away = np.int32([[0, 1, 2]]), np.int32([[0, 2, 1]])
    assert len(front_triangles(corners, facing, 8)) == kept
    assert len(front_triangles(corners, away, 8)) == 0


# Textures: pixel number i shows vertex number i


def shown(vertices, parts, skin, eyes=None, scale=0.5):
    """normal, gloss, albedo and depth (N, ...) of N vertices with attributes (N, COLUMNS)."""
    count = len(vertices)
    side = int(np.ceil(np.sqrt(count + 1)))  # at least one pixel of background
    face = np.full(side * side, -1, np.int32)
    face[:count] = np.arange(count)[::-1]
    weights = np.zeros((side, side, 3), np.float32)
    weights[..., 0] = 1
    triangles = np.repeat(np.arange(count, dtype=np.int32)[::-1, None], 3, 1)
    albedo = np.full((side, side, 3), 0.123, np.float32)
    depth = np.ones((side, side), np.float32)
    eyes = np.zeros((4, 8, 3), np.float32) if eyes is None else eyes
    normal, gloss = textured(
        face.reshape(side, side), weights, depth, triangles, np.uint8(parts),
        np.float32(vertices), skin, eyes, scale, albedo,
    )  # fmt: skip
    behind = face < 0
    flat = [a.reshape(side * side, -1) for a in (normal, gloss, albedo, depth)]
    for values, expected in zip(flat, (AHEAD, 0, np.float32(0.123), 1)):
        assert (values[behind] == np.float32(expected)).all()
    return [values[:count] for values in flat]


def vertex(normal=AHEAD, along_u=(0, 0, 0), along_v=(0, 0, 0), uv=(0.5, 0.5), **others):
    values = np.zeros(COLUMNS, np.float32)
    values[:3], values[ALONG_U : ALONG_U + 3], values[ALONG_V : ALONG_V + 3] = (
        normal, along_u, along_v,
    )  # fmt: skip
    values[UV : UV + 2] = uv
    values[EYE_UV : EYE_UV + 2] = others.get("eye", (0, 0))
    values[INSIDE], values[OPEN] = others.get("inside", 0), others.get("open", 1)
    return values


def flat_skin(colour=(0.8, 0.6, 0.4), height=0.0, slopes=(0, 0), hair=0.0, side=4):
    return np.tile(np.float32([*colour, height, *slopes, hair]), (side, side, 1))


def test_relief_turns_normals_and_moves_depth_along_them():
    """A height field h over a surface with normal n has the normal n - grad h."""
    along_u, along_v, n = unit(1, 0.2, 0.5), unit(0.3, 1, -0.4), unit(0.3, -0.5, -1)
    skin = flat_skin(height=0.2, slopes=(0.3, -0.2), hair=0.25)
    cases = [vertex(n, along_u, along_v), vertex(3 * n, along_u, along_v)]
    normal, gloss, albedo, depth = shown(cases, [SKIN] * 2, skin)
    expected = n - 0.3 * along_u + 0.2 * along_v
    expected = expected / np.linalg.norm(expected)
    np.testing.assert_allclose(normal, [expected] * 2, atol=1e-6)
    np.testing.assert_allclose(depth, 1 + 0.5 * 0.2 * expected[2], atol=1e-6)
    np.testing.assert_allclose(albedo, [[0.8, 0.6, 0.4]] * 2, atol=1e-6)
    np.testing.assert_allclose(gloss, [[0.75, 0]] * 2, atol=1e-6)  # hair does not shine


def test_the_inside_of_the_mouth_is_dark_dull_and_without_relief():
    skin = flat_skin(height=0.2, slopes=(0.3, 0.2))
    cases = [
        vertex(along_u=(1, 0, 0), along_v=(0, 1, 0), inside=inside, open=0.5)
        for inside in (0, -0.2, 0.5, 1, 1.4)
    ]
    normal, gloss, albedo, depth = shown(cases, [SKIN] * 5, skin)
    outside, mouth = np.float32([0.8, 0.6, 0.4]), 0.5 * MOUTH
    expected = [outside, outside, (outside + mouth) / 2, mouth, mouth]
    np.testing.assert_allclose(albedo, expected, atol=1e-6)
    np.testing.assert_allclose(gloss[:, 0], [1, 1, 0.5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(normal[3:], [AHEAD] * 2, atol=1e-6)
    np.testing.assert_allclose(normal[2], unit(-0.15, -0.1, -1), atol=1e-6)
    np.testing.assert_allclose(depth[3:], 1)
    assert depth[2, 0] == pytest.approx(1 + 0.05 * normal[2, 2])


def test_a_texel_is_at_the_middle_of_its_square():
    skin = flat_skin(side=5)
    skin[..., :3] = np.random.default_rng(0).random((5, 5, 3))
    middles = (np.arange(5) + 0.5) / 5
    cases = [vertex(uv=(u, v)) for v in middles for u in middles]
    albedo = shown(cases, [SKIN] * 25, skin)[2]
    np.testing.assert_allclose(albedo, skin[..., :3].reshape(-1, 3), atol=1e-6)


def test_eyes_have_a_patch_each_and_their_own_gloss():
    eyes = np.zeros((4, 8, 3), np.float32)
    eyes[:, :4, 0], eyes[:, 4:, 1] = 1, 1  # the left one red, the right one green
    eyes[..., 2] = (np.arange(4)[:, None] + 0.5) / 4  # rows
    places = [(0, 0.5), (0.999, 0.375), (1.001, 0.375), (1.5, 0.625), (2.2, 0.5)]
    cases = [vertex(eye=place, along_u=(1, 0, 0)) for place in places]
    normal, gloss, albedo, depth = shown(
        cases, [EYE_PART] * 5, flat_skin(slopes=(9, 9), height=9), eyes
    )
    red, green, rows = albedo.T
    np.testing.assert_allclose(red, [1, 1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(green, [0, 0, 1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(rows, [v for _, v in places], atol=1e-6)
    assert (gloss == [0, 1]).all() and (depth == 1).all()
    np.testing.assert_allclose(normal, [AHEAD] * 5, atol=1e-6)


def test_a_texel_of_an_eye_is_at_the_middle_of_its_square():
    eyes = np.random.default_rng(0).random((4, 8, 3)).astype(np.float32)
    cases = [vertex(eye=((c + 0.5) / 4, (r + 0.5) / 4)) for r in range(4) for c in range(8)]
    albedo = shown(cases, [EYE_PART] * 32, flat_skin(), eyes)[2]
    np.testing.assert_allclose(albedo, eyes.reshape(-1, 3), atol=1e-6)


def test_teeth_and_tongue_are_darker_in_a_closed_mouth():
    cases = [vertex(open=amount) for amount in (0, 0.5, 1)]
    both = shown(2 * cases, [TEETH] * 3 + [TONGUE_PART] * 3, flat_skin())[2]
    for albedo, tone in ((both[:3], TOOTH), (both[3:], TONGUE)):
        np.testing.assert_allclose(albedo[2], tone, atol=1e-6)
        np.testing.assert_allclose(albedo[1], (albedo[0] + albedo[2]) / 2, atol=1e-6)
        assert (albedo[0] > 0).all() and (albedo[0] < 0.5 * tone).all()


def test_normals_face_the_camera_even_at_the_contour():
    cases = [vertex(unit(1, 0.5, z)) for z in (-0.2, 0.0, 0.3)]
    normal = shown(cases, [SKIN] * 3, flat_skin())[0]
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-6)
    assert (normal[:, 2] < 0).all() and normal[2, 2] > -0.01
    np.testing.assert_allclose(normal[2, :2], unit(1, 0.5), atol=1e-3)


# Light


def test_layers_are_lit_by_lamberts_law():
    side = 4
    face = np.arange(side * side, dtype=np.int32).reshape(side, side)
    face[0, 0] = -1
    weights = np.tile(np.float32([0, 0, 1]), (side, side, 1))
    triangles = np.int32([[0, 0, i] for i in range(16)])
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(16, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    texture = rng.random((4, 4, 4)).astype(np.float32)
    row, column = np.mgrid[:4, :4]
    uv = (np.stack([column, row], -1).reshape(-1, 2) + 0.5) / 4
    attributes = np.column_stack([normals, uv]).astype(np.float32)
    light = np.float32([0.3, 0.6, *unit(0.5, -0.3, -0.8)])
    colour, opacity = covered(face, weights, triangles, attributes, texture, light)
    cosine = (normals @ light[2:]).reshape(4, 4, 1)
    assert (cosine < -0.1).any() and (cosine > 0.1).any()
    expected = texture[..., :3] * np.where(cosine > 0, 0.3 + 0.6 * cosine, 0.3)
    expected[0, 0], texture[0, 0, 3] = 0, 0
    np.testing.assert_allclose(colour, expected, atol=1e-6)
    np.testing.assert_array_equal(opacity, texture[..., 3])


def test_highlights_are_blinn_phongs():
    """d (shine gloss) max(0, n.h)^sharpness, h halfway between the light and the camera."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(8, 8, 3)).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    albedo, gloss = rng.random((8, 8, 3), np.float32), rng.random((8, 8, 2), np.float32)
    face = np.zeros((8, 8), np.int32)
    face[0] = -1
    light = np.float32([0.3, 0.6, *unit(0.6, -0.5, -0.4)])
    halfway = light[2:] + AHEAD
    halfway = halfway / np.linalg.norm(halfway)
    normal[1, 1] = halfway
    cosine = (normal @ halfway).clip(0)
    bright = 0.5 * gloss[..., 0] * cosine**3 + 0.2 * gloss[..., 1] * cosine**20
    shading = 0.3 + 0.6 * (normal @ light[2:]).clip(0)
    expected = albedo * shading[..., None] + 0.6 * bright[..., None]
    expected[0] = albedo[0]
    image = lit(face, albedo, normal, gloss, light, np.array([0.5, 0.2]), np.array([3.0, 20.0]))
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_skin_shines_by_the_persons_gloss_and_eyes_more_sharply():
    light = np.float32([0, 1, *AHEAD])
    tilted = [(0, np.sin(a), -np.cos(a)) for a in np.radians([0, 20])]
    normal = np.float32([tilted, tilted])
    gloss = np.zeros((2, 2, 2), np.float32)
    gloss[0, :, 0], gloss[1, :, 1] = 1, 1  # skin above, eyes below
    maps = dict(
        face=np.zeros((2, 2), np.int32), albedo=np.zeros((2, 2, 3), np.float32),
        normal=normal, gloss=gloss,
    )  # fmt: skip
    dull, shiny = (_lit(maps, light, amount)[..., 0] for amount in (0.0, 0.07))
    assert (dull[0] == 0).all() and shiny[0, 0] == pytest.approx(0.07)
    np.testing.assert_array_equal(shiny[1], dull[1])  # eyes are always wet
    assert dull[1, 0] > 0.1
    assert dull[1, 1] / dull[1, 0] < 0.05 < 0.3 < shiny[0, 1] / shiny[0, 0] < 0.9


# What a portrait hands to the kernels


def test_slopes_are_the_derivatives_of_the_height():
    """3 mm across the texture and -2 mm down."""
    v, u = np.mgrid[:16, :16].astype(np.float32) / 16
    stack = np.random.default_rng(0).random((16, 16, 5), np.float32)
    stack[..., 3] = 3 * u - 2 * v
    out = _with_slopes(stack)
    np.testing.assert_array_equal(out[..., :4], stack[..., :4])
    np.testing.assert_array_equal(out[..., 6], stack[..., 4])
    inside = out[1:-1, 1:-1]
    np.testing.assert_allclose(inside[..., 4], 3 * MM, rtol=1e-4)
    np.testing.assert_allclose(inside[..., 5], -2 * MM, rtol=1e-4)


def test_coarse_textures_are_means_with_texels_as_large_as_pixels():
    rng = np.random.default_rng(0)
    skin = Skin(rng.random((160, 160, 3), np.float32), None, rng.random((160, 160), np.float32))
    height = rng.random((160, 160), np.float32)
    person = SimpleNamespace(skin=skin)
    for size in (16, 32, 64, 128, 256):
        sharp, coarse = _layers(person, height, size)
        np.testing.assert_array_equal(sharp[..., :3], skin.colour)
        np.testing.assert_array_equal(sharp[..., 3], height)
        np.testing.assert_array_equal(sharp[..., 6], skin.hair)
        assert min(160, 0.6 * size) <= len(coarse) <= min(160, 1.5 * size)
        step = 160 // len(coarse)
        blocks = sharp.reshape(len(coarse), step, len(coarse), step, 7).mean((1, 3))
        for column in (0, 1, 2, 3, 6):
            np.testing.assert_allclose(coarse[..., column], blocks[..., column], atol=1e-5)


def test_what_all_heads_share_is_of_the_model():
    model = HeadModel.load()
    _, eye, inside, openness = _fixed()
    for side, left in ((-1, 0), (1, 1)):
        patch = eye[(model.part == EYE_PART) & (np.sign(model.mean[:, 0]) == side), 0] - left
        assert 0.45 < np.median(patch) < 0.55 and (patch > 0).mean() > 0.9 < (patch < 1).mean()
        rows = eye[(model.part == EYE_PART), 1]
        assert np.corrcoef(rows, model.mean[model.part == EYE_PART, 1])[0, 1] > 0.99
    assert inside[model.masks["inside-mouth"] > 0.9].min() > 0.9
    version_1 = _cavity(Surface(None, None, model.openness, *[None] * 4))
    np.testing.assert_allclose(openness, version_1, atol=0.08)  # linear, and a smooth step


@pytest.mark.parametrize("finer", [1, 2])
def test_finer_pixels_lie_within_the_pixels(finer):
    """A plate over 0.9..14.1 px of a picture of 16 px, whose pixel u has its middle at u."""
    low, high, size = 0.9, 14.1, 16
    edge = 2 * TAN_HALF_VIEW / (size - 1) * (np.float32([low, high]) - (size - 1) / 2)
    points = np.float32([[x, y, 1] for x in edge for y in edge])
    triangles = np.int32([[0, 1, 2], [1, 3, 2]])
    model = SimpleNamespace(part=np.zeros(4, np.uint8))
    person = SimpleNamespace(skin=SimpleNamespace(eyes=np.zeros((4, 8, 3), np.float32)))
    capture = SimpleNamespace(background=(np.zeros((4, 4, 3), np.float32),))
    attributes = np.array([vertex(uv=(u, v)) for u in (0, 1) for v in (0, 1)])
    skin = flat_skin(side=64)
    skin[..., 0] = (np.arange(64) + 0.5) / 64  # red is u, green v
    skin[..., 1] = skin[..., 0].T
    scene = model, person, capture, points, attributes
    maps = _maps(*scene, size * finer, finer, skin, triangles)
    middles = (np.arange(size * finer) + 0.5) / finer - 0.5
    inside = (low < middles) & (middles < high)
    np.testing.assert_array_equal(
        maps["depth"] < BACKGROUND_DEPTH, inside[:, None] & inside[None, :]
    )
    share = (middles[inside] - low) / (high - low)
    within = maps["albedo"][inside][:, inside]
    np.testing.assert_allclose(within[..., 0], np.tile(share, (len(share), 1)), atol=0.01)
    np.testing.assert_allclose(within[..., 1], np.tile(share[:, None], len(share)), atol=0.01)
