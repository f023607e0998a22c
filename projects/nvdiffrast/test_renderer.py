"""The renderer with nvdiffrast if installed, else with a stand-in that has its conventions."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch

from l2rkit.errors import PartError
from l2rkit.render import GridRenderer, rasterize_grid
from l2rkit.structures import Face, Light
from l2rkit.testing import check_renderer, example_face
from projects.nvdiffrast import renderer as project

real = find_spec("nvdiffrast") is not None and torch.cuda.is_available()


def stand_in(context, pos, tri, resolution, ranges, grad_db):
    """Draws as nvdiffrast's document says: clip space, first row at y = -1, numbers from 1."""
    assert pos.dtype == torch.float32 and tri.dtype == torch.int32 and pos.dim() == 2
    assert ranges.dtype == torch.int32 and resolution[0] % 8 == resolution[1] % 8 == 0
    rows, columns = resolution
    y, x = torch.meshgrid(
        (2 * torch.arange(rows) + 1) / rows - 1,
        (2 * torch.arange(columns) + 1) / columns - 1,
        indexing="ij",
    )
    out = torch.zeros(len(ranges), rows, columns, 4)
    for item, (start, count) in enumerate(ranges.tolist()):
        best = torch.full((rows, columns), torch.inf)
        for index in range(start, start + count):
            (px, py, pz), (qx, qy, qz), (rx, ry, rz) = (
                (c[:3] / c[3]).double().tolist() for c in pos[tri[index].long()]
            )
            area = (qx - px) * (ry - py) - (qy - py) * (rx - px)
            a = ((qx - x) * (ry - y) - (qy - y) * (rx - x)) / area
            b = ((rx - x) * (py - y) - (ry - y) * (px - x)) / area
            z = a * pz + b * qz + (1 - a - b) * rz
            hit = (a >= -1e-4) & (b >= -1e-4) & (a + b <= 1 + 1e-4) & (z < best) & (z >= -1)
            best = torch.where(hit, z.float(), best)
            out[item, ..., 3] = torch.where(hit, float(index + 1), out[item, ..., 3])
    return out, None


@pytest.fixture
def nvdiffrast(monkeypatch):
    """Stands in for the module, so that the tests run without a GPU."""
    package, module = ModuleType("nvdiffrast"), ModuleType("nvdiffrast.torch")
    module.RasterizeCudaContext, module.rasterize = (lambda device: object()), stand_in
    package.torch = module
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", module)


def test_the_stand_in_gives_what_grid_gives(nvdiffrast):
    face = example_face(12)
    for size in (12, 9):
        expected = GridRenderer(size)(face)
        got = project.NvdiffrastRenderer(size)(face)
        torch.testing.assert_close(got.depth, expected.depth, atol=1e-6, rtol=0)
        assert torch.equal(got.mask, expected.mask)


def test_what_is_skipped_or_not_finite_is_not_drawn(nvdiffrast):
    row, col = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    points = torch.stack([2 * col, 2 * row, torch.ones(4, 4)], -1).repeat(2, 1, 1, 1)
    points[0, 0, 0, 0] = torch.nan
    skip = torch.zeros(2, 18, dtype=torch.bool)
    skip[1, 4:] = True
    got = project.rasterize_nvdiffrast(points, 7, skip)
    assert torch.equal(got >= 0, rasterize_grid(points, 7, skip) >= 0)
    assert (project.rasterize_nvdiffrast(points, 7, skip | True) == -1).all()


@pytest.mark.skipif(not real, reason="needs nvdiffrast and a GPU")
def test_the_real_one_keeps_the_contract():
    def on_gpu(face: Face):
        light = Light(*(value.cuda() for value in vars(face.light).values()))
        there = Face(face.depth.cuda(), face.albedo.cuda(), light, face.view.cuda())
        seen = project.NvdiffrastRenderer()(there)
        return replace(seen, image=seen.image.cpu(), mask=seen.mask.cpu(), depth=seen.depth.cpu())

    check_renderer(on_gpu)


@pytest.mark.skipif(find_spec("nvdiffrast") is not None, reason="nvdiffrast is installed")
def test_without_nvdiffrast_the_renderer_says_so():
    with pytest.raises(PartError, match="NvdiffrastRenderer needs nvdiffrast"):
        project.NvdiffrastRenderer()(example_face(8))
