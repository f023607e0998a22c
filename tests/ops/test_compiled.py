"""Compiled kernels in a read-only installation without a home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh import python

ROOT = Path(__file__).parents[2]
NO_PLACE = """
from numba.core import caching

def nowhere(*args):
    raise RuntimeError("cannot cache function: no locator available")

caching.FunctionCache.__init__ = nowhere
"""
DRAW = """
import torch, l2rkit.data, l2rkit.render.mesh_raster
from l2rkit.ops.compiled import KEPT
from l2rkit.render import rasterize_grid
column, row = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="xy")
face = rasterize_grid(torch.stack([column, row, torch.ones(4, 4)], -1)[None], 4)
print(face.flatten().tolist(), sorted(set(KEPT.values())))
from l2rkit.cli.doctor import kernels
print(kernels())
"""


@pytest.fixture(scope="module")
def said() -> tuple[list[str], list[str]]:
    """What is drawn, and what the doctor says, where kernels are kept and where they cannot be."""
    found = [python("-c", code) for code in (DRAW, NO_PLACE + DRAW)]
    assert not any(done.returncode for done in found), [done.stderr for done in found]
    one, other = (done.stdout.strip().splitlines() for done in found)
    return one, other


def test_without_a_place_kernels_are_compiled_anew_and_draw_the_same(said) -> None:
    kept, not_kept = (lines[0] for lines in said)
    assert kept.endswith("[True]") and not_kept.endswith("[False]")
    assert kept.removesuffix("[True]") == not_kept.removesuffix("[False]")


def test_the_doctor_says_so(said) -> None:
    kept, not_kept = (lines[1] for lines in said)
    assert "NUMBA_CACHE_DIR" in not_kept and "'ok'" in kept


def test_no_kernel_insists_on_a_place() -> None:
    for folder in ("l2rkit", "projects"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "compiled.py":
                assert "njit" not in path.read_text("utf-8"), path


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid(), reason="root mounts it, on Linux")
def test_a_read_only_installation_is_imported(tmp_path: Path) -> None:
    places = {str(ROOT), sys.prefix, str(Path.home())}
    mounts = [f"mount --bind {p} {p} && mount -o remount,ro,bind {p}" for p in sorted(places)]
    start = f"{sys.executable} -c 'import l2rkit.render, l2rkit.data; print(1)'"
    shell = " && ".join([*mounts, f"cd / && HOME=/proc/nowhere PYTHONPATH={ROOT} {start}"])
    done = subprocess.run(["unshare", "-m", "sh", "-c", shell], text=True, capture_output=True)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.stdout == "1\n", done.stderr
