"""Other projects' configs inherit shipped ones: in a clone, installed, with any setuptools."""

import sys
from pathlib import Path

import pytest

from l2rkit import config as config_module
from l2rkit.config import load_config
from l2rkit.errors import ConfigError

ROOT = Path(__file__).parents[1]
OWN = """
from mmengine.config import read_base

with read_base():
    from {base} import *

model.decompose.update(width=20)
"""
BASE = "l2rkit.configs.unsup3d.unsup3d_heads_32"


@pytest.fixture(autouse=True)
def without_pkg_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older setuptools bring it, current ones do not: nothing may ask for it."""
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    monkeypatch.chdir(tmp_path)  # a folder in which configs/ is not


@pytest.fixture(params=["a clone", "installed"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `configs/` lies: beside the package, or within it, as a wheel has it."""
    if request.param == "a clone":
        return ROOT
    package = tmp_path / "site-packages" / "l2rkit"
    package.mkdir(parents=True)
    (package / "configs").symlink_to(ROOT / "configs")
    monkeypatch.setattr(config_module, "HOMES", (package, package.parent))
    return package


def test_a_config_anywhere_inherits_a_shipped_one(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    own = tmp_path / "mine" / "wide.py"
    own.write_text(OWN.format(base=BASE))
    shipped = load_config("configs/unsup3d/unsup3d_heads_32.py")
    assert Path(shipped.filename).is_relative_to(home)
    config = load_config(own)
    assert config.model.decompose.width == 20 != shipped.model.decompose.width
    assert config.model.losses == shipped.model.losses
    assert config.train_dataloader == shipped.train_dataloader
    assert load_config(own, {"model.decompose.width": 8}).model.decompose.width == 8
    (tmp_path / "mine" / "wider.py").write_text(OWN.format(base=".wide").replace("20", "24"))
    assert load_config(tmp_path / "mine" / "wider.py").model.decompose.width == 24


def test_a_plugin_inherits_its_own_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "moon_plugin" / "configs"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (folder / "base.py").write_text(OWN.format(base=BASE))
    own = tmp_path / "mine.py"
    own.write_text(OWN.format(base="moon_plugin.configs.base").replace("20", "28"))
    assert load_config(own).model.decompose.width == 28


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.format(base="l2rkit.configs.unsup3d.unsup3d_head"), "unsup3d_head.py not found"),
        (OWN.format(base="nowhere_at_all.configs.a"), "no package is called 'nowhere_at_all'"),
        ("_base_ = 'l2rkit::unsup3d/unsup3d_heads.py'\n", "in place of _base_ write `with read_ba"),
        (f"_base_ = '{ROOT}/configs/lap/lap_heads.py'\n", "in place of _base_ write `with read_ba"),
    ],
    ids=["config", "package", "their scope", "path"],
)
def test_what_cannot_be_inherited_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "mine.py"
    own.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.py does not load") as caught:
        load_config(own)
    assert said in str(caught.value)


def test_the_bare_name_of_a_shipped_config_is_that_config(tmp_path: Path) -> None:
    for name in ("unsup3d_heads_32", "unsup3d_heads_32.py"):
        assert Path(load_config(name).filename) == ROOT / "configs/unsup3d/unsup3d_heads_32.py"
    (tmp_path / "unsup3d_heads_32.py").write_text("protocol = 'mine'\n")
    assert load_config("unsup3d_heads_32.py").protocol == "mine"
    with pytest.raises(ConfigError, match="none is shipped: did you mean 'unsup3d_heads_32'"):
        load_config("unsup3d_heads32")
    with pytest.raises(ConfigError, match="no config at runtime"):  # part of others
        load_config("runtime")


REPLACING = """
from mmengine.config import read_base

from l2rkit.decompose import LAPDecomposer
from l2rkit.losses import DepthVariance

with read_base():
    from l2rkit.configs.unsup3d.unsup3d_heads_32 import *

model.decompose.update(width=8)
updated = dict(**model.decompose)
model["decompose"] = dict(type=LAPDecomposer, image_size=32)
model.losses.update(relief=dict(type=DepthVariance))
del model["losses"]["upright"]
"""


def test_a_part_is_changed_by_update_and_replaced_by_assignment(tmp_path: Path) -> None:
    own = tmp_path / "replacing.py"
    own.write_text(REPLACING)
    config, base = load_config(own), load_config("configs/unsup3d/unsup3d_heads_32.py")
    assert config.updated == {**base.model.decompose, "width": 8}
    assert set(config.model.decompose) == {"type", "image_size"}
    assert set(config.model.losses) == {*base.model.losses, "relief"} - {"upright"}
