"""`mim` finds the model index, configs and tools in a clone and in a wheel."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


LISTED = """
import setuptools
from distutils.core import run_setup

build = run_setup("setup.py", stop_after="init").get_command_obj("build_py")
build.ensure_finalized()
build.build_lib = "."
print("\\n".join(build.get_outputs(include_bytecode=False)))
"""


@pytest.fixture(scope="module")
def wheel() -> set[str]:
    """The paths of the files in a wheel."""
    done = subprocess.run(
        [sys.executable, "-c", LISTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {Path(path).as_posix() for path in done.stdout.splitlines()}


def test_the_index_leads_to_configs_and_weights(wheel: set[str]) -> None:
    index = yaml.safe_load((ROOT / "l2rkit/.mim/model-index.yml").read_text("utf-8"))
    assert "l2rkit/.mim/model-index.yml" in wheel and len(index["Import"]) > 5
    for path in index["Import"]:
        assert f"l2rkit/.mim/{path}" in wheel
        listed = yaml.safe_load((ROOT / "l2rkit/.mim" / path).read_text("utf-8"))
        for model in listed["Models"]:
            assert (ROOT / "l2rkit/.mim" / model["Config"]).is_file()
            assert f"l2rkit/{model['Config']}" in wheel
            assert model.get("Weights", "l2rkit/zoo/card.py") in wheel


def test_each_config_is_in_a_wheel_once(wheel: set[str]) -> None:
    """`mim train l2rkit lap_heads.py` refuses a name that it finds twice."""
    configs = [Path(path) for path in wheel if "/configs/" in path and path.endswith(".py")]
    names = [path.name for path in configs if "_base_" not in path.parts]
    assert names.count("lap_heads.py") == 1 and len(names) == len(set(names))


def test_tools_are_where_mim_runs_them(wheel: set[str]) -> None:
    for name in ("train.py", "test.py", "dist_train.sh", "slurm_test.sh"):
        assert f"l2rkit/.mim/tools/{name}" in wheel
        assert (ROOT / "l2rkit/.mim/tools" / name).is_file()
