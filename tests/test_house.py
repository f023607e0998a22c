"""The rules of the house that a machine can check."""

import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from l2rkit.cli.leaderboard import leaderboard
from l2rkit.config import load_config

ROOT = Path(__file__).parents[1]
FOLDERS = ("l2rkit", "configs", "tools", "projects", "tests")
SOURCES = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.py"))]
CONFIGS = [p for p in sorted((ROOT / "configs").glob("*/*.py")) if p.parent.name != "_base_"]


def test_files_are_short() -> None:
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in SOURCES}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.get)
    assert statistics.median(lengths.values()) < 200


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_config_loads_and_dumps(path: Path) -> None:
    config = load_config(path)
    assert f"type='l2rkit.{config.model.type.__module__.split('.')[1]}." in config.pretty_text


def test_the_model_zoo_is_what_the_results_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(leaderboard, ["--out", "model-zoo.md", "--check"])
    assert result.exit_code == 0, result.output


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, l2rkit, l2rkit.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
