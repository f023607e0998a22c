"""Angles between normals with known values."""

import math

import pytest
import torch

from l2rkit.errors import DataError
from l2rkit.geometry import focal, view_of
from l2rkit.metrics import NormalErrors
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light, Scene

SIZE = 16


def wall(tilt_deg, view):
    """A wall whose right side is nearer, in a view."""
    column = (torch.arange(SIZE) - (SIZE - 1) / 2) / focal(SIZE)
    depth = (1 / (1 + column * math.tan(math.radians(tilt_deg)))).expand(1, 1, SIZE, SIZE)
    one = torch.ones(1)
    light = Light(one, 0 * one, torch.tensor([[0.0, 0, -1]]))
    return Face(depth, torch.ones(1, 3, SIZE, SIZE), light, view[None])


def measured(face, truth, mask):
    metric = NormalErrors()
    own = GridRenderer()(face)
    metric.process(dict(normal=truth, mask=mask), [Scene(own.image, face, own)])
    report = metric.compute_metrics(metric.results)
    return {name: report[name] for name in metric.names}


def facing(yaw_deg):
    """(1, 3, H, W): the camera, turned by an angle about y."""
    angle = math.radians(yaw_deg)
    normal = torch.tensor([-math.sin(angle), 0, -math.cos(angle)])
    return normal.view(1, 3, 1, 1).expand(1, 3, SIZE, SIZE)


@pytest.mark.parametrize(("tilt", "yaw"), [(0, 0), (10, 0), (10, 15)])
@pytest.mark.parametrize("truth", [-24, 22, 51])
def test_a_turned_wall(tilt, yaw, truth):
    """Both angles turn the wall's normal the same way; it is the same everywhere."""
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 3:13, 6:11] = 1
    report = measured(wall(tilt, view_of(yaw)), facing(truth), mask)
    angle = abs(truth - tilt - yaw)
    assert report["normal_mad"] == pytest.approx(angle, abs=0.05)
    assert [report[f"within_{bound}"] for bound in (20, 25, 30)] == [
        float(angle < bound) for bound in (20, 25, 30)
    ]
    assert report["normal_coverage"] == 1


def test_only_what_is_known_and_rendered_is_compared():
    truth = facing(0).clone()
    truth[..., 9:] = facing(40)[..., 9:]
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 2:14, 7:11] = 1  # 2 columns of 0 and 2 of 40 degrees
    report = measured(wall(0, view_of()), truth, mask)
    assert report["normal_mad"] == pytest.approx(20, abs=0.05)
    assert report["within_30"] == report["within_20"] == 0.5
    aside = view_of()
    aside[3] = 9 / focal(SIZE)  # rendered from column 9 on
    report = measured(wall(0, aside), truth, mask)
    assert report["normal_mad"] == pytest.approx(40, abs=0.05)
    assert report["normal_coverage"] == 0.5
    with pytest.raises(DataError, match="no true normal"):
        measured(wall(0, aside), truth, mask * 0)
