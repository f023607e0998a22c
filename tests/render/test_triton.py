"""The Triton rasterizer in its interpreter, and the default rasterizer."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from renderers import interpreted

from l2rkit.errors import PartError
from l2rkit.geometry import move, project, unproject, view_of
from l2rkit.render import GridRenderer, TritonRenderer, fastest, rasterize_grid, rasterize_triton
from l2rkit.render import triton as kernel
from l2rkit.testing import example_face

installed = pytest.mark.skipif(
    find_spec("triton") is None, reason="Triton is not installed: make triton"
)
CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(scope="module")
def wide_programs():
    """Larger programs, of which the interpreter runs fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "TRIANGLES", 2048)
        yield


def bumpy(size: int, seed: int, batch: int = 2) -> torch.Tensor:
    noise = torch.rand(batch, 1, size, size, generator=torch.Generator().manual_seed(seed))
    return example_face(size, batch).depth + 0.03 * noise


@interpreted
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    turn=st.tuples(*[st.floats(-1.5, 1.5)] * 3),
    size=st.integers(8, 24),
    pixels=st.integers(1, 40),
)
def test_every_pixel_is_the_numba_kernels(wide_programs, seed, turn, size, pixels):
    view = torch.tensor([[*turn, 0.02, -0.01, 0.0]])
    points = project(move(unproject(bumpy(size, seed)), view), pixels).permute(0, 2, 3, 1)
    assert torch.equal(rasterize_triton(points, pixels), rasterize_grid(points, pixels))


@interpreted
@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_pictures_and_gradients_are_the_grid_renderers(wide_programs, size):
    found = []
    for renderer in (GridRenderer(max_slope_deg=80), TritonRenderer(max_slope_deg=80)):
        depth = bumpy(size, 3, 1).requires_grad_()
        view = view_of(25, -10)[None].requires_grad_()
        seen = renderer(replace(example_face(size, 1), depth=depth, view=view))
        (seen.image * seen.mask).square().sum().backward()
        found.append((seen.depth, seen.mask, seen.image, depth.grad, view.grad))
    assert 0 < found[0][1].mean() < 1
    for ours, theirs in zip(*found):
        assert torch.equal(ours, theirs)


@interpreted
def test_programs_parts_and_strides_change_nothing(monkeypatch):
    points = project(move(unproject(bumpy(12, 5, 5)), view_of(30)[None]), 12).permute(0, 2, 3, 1)
    expected = rasterize_grid(points, 12)
    monkeypatch.setattr(kernel, "PIXELS", 2 * 12 * 12)  # two meshes in one go
    skip = torch.zeros(5, 2 * 11 * 11, dtype=torch.bool)
    skip[3:] = True
    for lanes in (64, 256):
        monkeypatch.setattr(kernel, "TRIANGLES", lanes)
        assert not points.is_contiguous()
        assert torch.equal(rasterize_triton(points.double(), 12), expected)
    drawn = rasterize_triton(points, 12, skip)
    assert torch.equal(drawn[:3], expected[:3]) and (drawn[3:] == -1).all()


@installed
def test_kernels_compile_for_gpus_that_are_not_here():
    """For the generations of A100 and H100, to machine code, with and without triangles to skip."""
    code = """if True:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        from l2rkit.render import triton_kernels
        kernel, options = triton_kernels.claim_pixels, dict(num_warps=2, enable_fp_fusion=True)
        for capability, skips in ((80, False), (90, True)):
            fixed = dict(SKIPS=skips, TOLERANCE=1e-4, LANES=64)
            kinds = {name: "i32" for name in kernel.arg_names} | dict.fromkeys(fixed, "constexpr")
            kinds |= dict(points="*fp32", skipped="*u8" if skips else "*fp32", buffer="*i64")
            source = ASTSource(fn=kernel, signature=kinds, constexprs=fixed)
            made = triton.compile(source, GPUTarget("cuda", capability, 32), options)
            assert made.asm["cubin"] and "max.s64" in made.asm["ptx"]
        print("compiled")
    """
    env = {**os.environ, "TRITON_INTERPRET": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["compiled"], done.stderr


def test_the_default_is_chosen_by_rule(monkeypatch):
    """By where the points are and whether Triton draws there; nothing is timed."""
    assert fastest.rasterizer_for(CPU) is rasterize_grid
    for draws, expected in ((True, "rasterize_triton"), (False, "rasterize_torch")):
        monkeypatch.setattr(fastest, "triton_draws", lambda device, draws=draws: draws)
        assert fastest.rasterizer_for(GPU).__name__ == expected
    points = torch.rand(1, 4, 4, 3) + 0.5
    assert torch.equal(fastest.rasterize_fastest(points, 5), rasterize_grid(points, 5))


def test_a_triton_that_cannot_build_its_kernels_is_passed_over_with_a_reason(monkeypatch):
    def fails(*arguments):
        raise RuntimeError("Failed to find\nC compiler")

    corner = torch.tensor
    monkeypatch.setattr(kernel, "find_spec", lambda name: True)
    monkeypatch.setattr(kernel, "rasterize_triton", fails)
    monkeypatch.setattr(kernel.torch, "tensor", lambda value, device: corner(value))
    with pytest.warns(UserWarning, match="does not run on cuda:0 .Failed to find C compiler."):
        assert not kernel.triton_draws.__wrapped__(GPU)
    monkeypatch.setattr(kernel, "rasterize_triton", rasterize_grid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kernel.triton_draws.__wrapped__(GPU)
        assert not kernel.triton_draws.__wrapped__(CPU)
        monkeypatch.setattr(kernel, "find_spec", lambda name: None)
        assert not kernel.triton_draws.__wrapped__(GPU)


def test_where_triton_is_missing_or_has_no_gpu_its_renderer_says_so(monkeypatch):
    if find_spec("triton") is None or os.environ.get("TRITON_INTERPRET") == "1":
        monkeypatch.setitem(sys.modules, "triton", None)
        said = "TritonRenderer needs Triton, which cannot be imported .*; TorchRenderer renders"
    else:
        said = "TritonRenderer renders on GPUs, not on the cpu; TorchRenderer renders the same"
    with pytest.raises(PartError, match=said):
        TritonRenderer()(example_face(16))
