"""Several processes start at once on a new machine."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fresh import python

ANEW = """
import sys
for name in [name for name in sys.modules if name.startswith(("mmengine", "yapf"))]:
    del sys.modules[name]
"""
IMPORT = ANEW + "from l2rkit.cli.common import import_mmengine as f; f(); print('imported')"


@pytest.fixture(params=[0, 100])
def half(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, bytes, dict[str, str]]:
    """yapf's cache cut off, what it should hold, and an environment in which it is used."""
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import yapf"], env=env, check=True)
    (path,) = tmp_path.glob("YAPF/*/Grammar*.pickle")
    content = path.read_bytes()
    path.write_bytes(content[: request.param])
    return path, content, env


def test_a_cache_that_another_process_is_writing_is_waited_for(
    half: tuple[Path, bytes, dict[str, str]],
) -> None:
    path, content, env = half
    patient = IMPORT.replace("f()", "f([0.1] * 300)")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(python, "-c", patient, env=env)
        other = python("-c", IMPORT.replace("f()", "f([0])"), env=env)
        assert "remove ~/.cache/YAPF" in other.stderr  # has been seen cut off
        path.write_bytes(content)
        assert waiting.result().stdout.strip() == "imported"
