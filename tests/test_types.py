"""The types of the public API, checked by mypy with the settings in pyproject.toml."""

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]

# Line 3 is right; each line from 4 on has one wrong argument.
USE = """
from l2rkit import load_model, reconstruct
reconstruct(["a.jpg", b"bytes"], device="cuda")
reconstruct("a.jpg", device=0)
reconstruct("a.jpg", fidelity="photo")
load_model("unsup3d_heads", wieghts="a.safetensors")
"""


def test_types_fit_within_the_public_api_and_find_wrong_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said, trouble, status = api.run([])
    assert status == 0, said + trouble
    used = tmp_path / "used.py"
    used.write_text(USE, "utf-8")
    said, trouble, status = api.run([str(used)])
    wrong = [line.split(":")[1] for line in said.splitlines() if ": error:" in line]
    assert (wrong, trouble) == (["4", "5", "6"], ""), said
