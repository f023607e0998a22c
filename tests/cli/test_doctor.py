"""`l2rkit doctor` and `l2rkit print-config`."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mmengine.config import Config

from l2rkit.apis.reconstructor import DEFAULT_CONFIG
from l2rkit.cli import NAMES, main
from l2rkit.cli import doctor as module

L2R = "configs/l2r/l2r_openfaces_images.py"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def line(result: Result, name: str) -> str:
    (found,) = (one for one in result.stdout.splitlines() if one[5:].startswith(f"{name}:"))
    return found.strip()


def test_all_that_is_needed_works_here() -> None:
    import torch

    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert line(result, "torch") == f"ok torch: {torch.__version__}"
    assert line(result, "python").endswith(sys.version.split()[0])
    assert line(result, "renderer") == "ok renderer: draws"
    assert "tensors" in line(result, "face_restorer.safetensors")  # which the default needs


def test_something_needed_that_is_broken_ends_with_status_1(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mmcv", None)  # imports of it fail
    result = run("doctor")
    assert result.exit_code == 1 and "1 needed things are broken" in result.stderr
    assert line(result, "mmcv").startswith("!! mmcv: does not import")
    assert line(result, "torch").startswith("ok")


def test_damaged_weights_are_found(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "face_restorer.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr("l2rkit.zoo.FOLDER", tmp_path)
    result = run("doctor")
    assert result.exit_code == 1
    assert line(result, "face_restorer.safetensors").startswith("!!")
    assert line(result, "centerface.onnx").startswith("!!")


def test_optional_parts_say_how_they_come(monkeypatch) -> None:
    monkeypatch.setattr(module, "OPTIONAL", {"no_such_part": ("magic", "pip install magic")})
    result = run("doctor")
    assert result.exit_code == 0
    expected = "-- no_such_part: not installed, for magic: pip install magic"
    assert line(result, "no_such_part") == expected
    monkeypatch.setattr(module, "OPTIONAL", {"click": ("commands", "")})
    assert line(run("doctor"), "click").startswith("ok click: ")


def test_data_are_looked_for_where_they_would_be_read(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENFACES_ROOT", raising=False)
    result = run("doctor")
    assert line(result, "data/heads").startswith("-- data/heads: empty")
    assert line(result, "OPENFACES_ROOT").startswith("-- OPENFACES_ROOT: not set")
    (tmp_path / "data" / "heads" / "v1-seed0").mkdir(parents=True)
    monkeypatch.setenv("OPENFACES_ROOT", str(tmp_path / "gone"))
    result = run("doctor")
    assert line(result, "data/heads") == "ok data/heads: v1-seed0"
    assert line(result, "OPENFACES_ROOT").endswith("gone, no folder")
    monkeypatch.setenv("OPENFACES_ROOT", str(tmp_path))
    assert line(run("doctor"), "OPENFACES_ROOT") == f"ok OPENFACES_ROOT: {tmp_path}"


def test_a_printed_config_says_the_same_when_it_is_read(tmp_path: Path) -> None:
    changed = ("--cfg-options", "model.decompose.width=8")
    result = run("print-config", L2R, *changed)
    assert result.exit_code == 0, result.output
    (tmp_path / "printed.py").write_text(result.stdout)
    read = Config.fromfile(tmp_path / "printed.py")
    assert read.model.decompose.width == 8
    assert read.model.type == "l2rkit.model.FaceReconstructor"
    assert "train_dataloader" in read and "loss" in str(read.model.losses).lower()


def test_printing_builds_nothing(monkeypatch) -> None:
    def built(self: object, *args: object, **kwargs: object) -> None:
        raise AssertionError("a part was built")

    monkeypatch.setattr("torch.nn.Module.__init__", built)
    monkeypatch.setattr("l2rkit.io.weights.load_weights", built)
    assert run("print-config", DEFAULT_CONFIG).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((L2R, "--cfg-options", "model.decompse.width=8"), "did you mean 'decompose'?"),
        (("configs/unsup3d/unsup3d_openface.py",), "no config at"),
    ],
)
def test_a_wrong_config_is_one_line(words: tuple[str, ...], said: str) -> None:
    result = run("print-config", *words)
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_help_names_all_commands_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from l2rkit.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'torch', 'mmengine', 'cv2', 'numba', 'trimesh', 'PIL'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert all(f"\n  {name} " in said for name in NAMES)
    assert said.strip().endswith("set()")
