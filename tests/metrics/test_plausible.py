"""Metrics without ground truth, symmetry and ID similarity, with known values."""

import math
from dataclasses import replace

import pytest
import torch

from l2rkit.errors import PartError
from l2rkit.metrics import Symmetry, TurnedIdentity
from l2rkit.structures import Rendering, Scene, unbatched
from l2rkit.testing import example_face

SIZE = 16


def seen(face):
    picture = torch.ones(len(face), 3, face.size, face.size)
    return Scene(picture, face, Rendering(picture, picture[:, :1], face.depth))


def test_a_symmetric_face_and_one_that_is_not():
    face, metric = example_face(SIZE), Symmetry()
    even = replace(
        face,
        depth=(face.depth + face.depth.flip(-1)) / 2,
        albedo=(face.albedo + face.albedo.flip(-1)) / 2,
    )
    half = torch.zeros(2, 3, SIZE, SIZE)
    half[..., : SIZE // 2] = 0.1  # 0.1 from its mirror image everywhere
    deep = torch.ones(2, 1, SIZE, SIZE)
    deep[..., : SIZE // 2] = math.exp(0.02)  # log depth differs by 0.02 each way
    uneven = replace(face, albedo=0.4 + half, depth=deep)
    for each in (even, uneven):
        metric.process({}, [seen(each)])
    metric.compute_metrics(metric.results)
    assert metric.each["albedo_symmetry"] == pytest.approx([100, 100, 20, 20], abs=1e-3)
    assert metric.each["depth_asymmetry"] == pytest.approx([0, 0, 2, 2], abs=1e-3)


def colour_code(photo):
    """(B, 3): the code of a picture is its mean colour, less grey."""
    return photo.mean((2, 3)) - 0.5


def red_or_blue(face):
    """Draws the face's mean albedo over the left half of the picture, darker when turned."""
    colour = face.albedo.mean((2, 3), keepdim=True).expand_as(face.albedo)
    mask = torch.zeros(len(face), 1, face.size, face.size)
    mask[..., : face.size // 2] = 1
    turned = face.view[:, 1].abs().view(-1, 1, 1, 1)
    return Rendering(colour - torch.tensor([0, 0.3, 0]).view(3, 1, 1) * turned, mask, mask)


def test_identity_is_the_mean_cosine_over_the_yaws():
    face = example_face(SIZE)
    colours = torch.tensor([[0.9, 0.5, 0.3], [0.2, 0.6, 0.8]])
    face = replace(face, albedo=colours[..., None, None].expand(2, 3, SIZE, SIZE))
    photo = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    metric = TurnedIdentity(colour_code, yaws_deg=(0, 45), render=red_or_blue)
    for i in range(2):  # a batch at a time, and impostors are found all the same
        metric.process(dict(photo=photo[i : i + 1]), [seen(unbatched(face, 2)[i])])
    metric.compute_metrics(metric.results)

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / math.hypot(*a) / math.hypot(*b)

    for name, other in (("turned_identity", 0), ("impostor_identity", 1)):
        for i in range(2):
            code = colour_code(photo)[(i + other) % 2].tolist()
            cosines = []
            for yaw in (0, math.radians(45)):
                colour = colours[i].tolist()
                drawn = [colour[0], colour[1] - 0.3 * yaw, colour[2]]
                cosines.append(cosine(code, [c - 0.5 for c in drawn]))
            assert metric.each[name][i] == pytest.approx(sum(cosines) / 2, abs=1e-5)


def test_a_single_photo_has_no_strangers():
    metric = TurnedIdentity(colour_code)
    face = example_face(SIZE, batch=1)
    metric.process(dict(photo=torch.full((1, 3, SIZE, SIZE), 0.3)), [seen(face)])
    report = metric.compute_metrics(metric.results)
    assert set(report) == {"turned_identity", "turned_identity_std"}


def test_an_unknown_embedding_is_one_line():
    with pytest.raises(PartError, match=r"called 'FaceRez': did you mean 'FaceRes'\?") as said:
        TurnedIdentity(dict(type="FaceRez"))
    assert "\n" not in str(said.value)
    with pytest.raises(PartError, match="FaceRes takes no 'weight': did you mean 'weights'"):
        TurnedIdentity(dict(type="FaceRes", weight=1))
