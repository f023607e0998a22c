"""The error of albedo in the photo's view, up to one factor."""

import math
from dataclasses import replace

import pytest
import torch

from l2rkit.metrics import AlbedoErrors
from l2rkit.metrics.albedo import gained, nearness
from l2rkit.metrics.masks import common_mask
from l2rkit.render import GridRenderer
from l2rkit.structures import Light, Scene
from l2rkit.testing import example_face

SIZE = 32


def ambient(face):
    """The face under light that is the same everywhere."""
    one = torch.ones(len(face))
    return face.with_light(Light(one, 0 * one, face.light.direction))


def measured(face, predicted=None):
    """Figures of each image for a prediction of a true face, whose photo is drawn."""
    render = GridRenderer()
    drawn, photo = render(ambient(face)), render(face)
    truth = torch.where(drawn.mask > 0, drawn.image, 0.3)
    predicted = predicted or face
    scene = Scene(photo.image, predicted, render(predicted))
    metric = AlbedoErrors()
    metric.process(dict(albedo=truth, depth=drawn.depth, photo=photo.image), [scene])
    report = metric.compute_metrics(metric.results)
    return report, metric.each, truth, drawn, photo


def test_a_perfect_albedo_whatever_the_light_says():
    face = example_face(SIZE)
    report, each, *_ = measured(face)
    assert each["albedo_psnr"] == pytest.approx([100, 100])  # as high as PSNR goes here
    assert report["albedo_ssim"] == pytest.approx(1)
    # the photo is the albedo under light from one side: near it, no more
    assert 20 < report["photo_albedo_psnr"] < 60 and report["photo_albedo_ssim"] < 1
    darker = replace(face, albedo=0.6 * face.albedo).with_light(
        Light(face.light.ambient / 0.6, face.light.diffuse / 0.6, face.light.direction)
    )
    assert measured(face, darker)[1]["albedo_psnr"] == pytest.approx([100, 100])


def test_a_known_error_beside_loops():
    face = example_face(SIZE)
    tinted = replace(face, albedo=face.albedo * torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1))
    _, each, truth, drawn, _ = measured(face, tinted)
    mask = common_mask(drawn.depth, drawn.depth)
    for i, figure in enumerate(each["albedo_psnr"]):
        pairs = []  # prediction, truth
        for row, column in mask[i, 0].nonzero().tolist():
            for c, tint in enumerate((1.0, 0.8, 0.7)):
                value = truth[i, c, row, column].item()
                pairs.append((tint * value, value))
        gain = sum(a * t for a, t in pairs) / sum(a * a for a, _ in pairs)
        error = sum((gain * a - t) ** 2 for a, t in pairs) / len(pairs)
        assert figure == pytest.approx(-10 * math.log10(error), abs=1e-3)


def test_no_other_gain_is_nearer_and_outside_nothing_counts():
    draw = torch.Generator().manual_seed(0)
    colour, truth = torch.rand(2, 2, 3, 8, 8, generator=draw)
    mask = torch.zeros(2, 1, 8, 8)
    mask[..., :4] = 1
    best = ((gained(colour, truth, mask) - truth) * mask).square().sum((1, 2, 3))
    factor = gained(colour, truth, mask)[:, 0, 0, 0] / colour[:, 0, 0, 0]
    for off in (0.98, 1.02):
        other = ((colour * (factor * off).view(-1, 1, 1, 1) - truth) * mask).square()
        assert (other.sum((1, 2, 3)) > best).all()
    truth[..., 4:] = 9
    assert torch.allclose(gained(colour, truth, mask)[:, 0, 0, 0] / colour[:, 0, 0, 0], factor)


def test_no_pixel_in_common_is_no_figure():
    colour, mask = torch.rand(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    mask[0] = 1
    for there, nowhere in nearness(colour, colour.flip(-1), mask):
        assert math.isfinite(there) and math.isnan(nowhere)


def test_a_face_in_the_wrong_place_has_the_wrong_albedo_there():
    face = example_face(SIZE)
    view = face.view.clone()
    view[:, 1] += 0.1
    report, *_ = measured(face, face.with_view(view))
    assert report["albedo_psnr"] < 40
