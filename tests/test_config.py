"""Loading of configs: overrides, protocols, and errors of one line."""

import sys

import pytest
from click.testing import CliRunner

from l2rkit.cli import main
from l2rkit.config import load_config, load_model
from l2rkit.errors import ConfigError, WeightsError
from l2rkit.io.weights import write_weights
from l2rkit.model import FaceReconstructor

CONFIG = """
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.losses import Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
    losses=dict(photometric=dict(type=Photometric)),
)
custom_hooks = [dict(interval=1), dict(interval=2)]
"""


@pytest.fixture
def write(tmp_path):
    def written(text=CONFIG, name="tiny.py"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


@pytest.mark.parametrize("name", ["b.yaml", "b.yml", "b.json", "b.YAML", "b"])
def test_a_config_is_python_and_nothing_else(write, name, tmp_path):
    """Tags of YAML start programs."""
    canary = tmp_path / "canary"
    path = write(f"a: !!python/object/apply:os.system ['touch {canary}']\n", name)
    with pytest.raises(ConfigError, match=r"is no config: those are Python, \.py"):
        load_config(path)
    for protocol in (str(path), f"../../{path.name}"):
        with pytest.raises(ConfigError):
            load_config(write(), protocol=protocol)
    bases = [f"_base_ = '{path.name}'\n", f"_base_ = ['./a.py', '{path}']\n"]
    write("", "a.py")
    own = [path, *(write(text, f"{number}.py") for number, text in enumerate(bases))]
    own.append(write("_base_ = '1.py'\n", "2.py"))
    for each in own:
        result = CliRunner().invoke(main, ["print-config", str(each)])
        assert result.exit_code == 2 and f"{name} is no config" in result.stderr
        assert not canary.exists() and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("error", ["raise SystemExit(0)", "1 / 0", "raise SystemExit('bye')"])
def test_a_config_that_ends_the_program_is_one_line(write, error, tmp_path, monkeypatch):
    """So is a module that it imports; before: that status without a word, or a traceback."""
    monkeypatch.syspath_prepend(tmp_path)
    write(error + "\n", "ends_at_once.py")
    own = write(CONFIG + error + "\n", "own.py")
    imports = write(CONFIG + "custom_imports = dict(imports=['ends_at_once'])\n", "imports.py")
    for path, said in ((own, "own.py does not load: "), (imports, "ends_at_once does not import")):
        done = CliRunner().invoke(main, ["print-config", str(path)])
        assert (
            done.exit_code == 2 and said in done.stderr and isinstance(done.exception, SystemExit)
        )
        assert len(done.stderr.splitlines()) == 1


def test_overrides_are_merged(write):
    overrides = {
        "model.decompose.width": 8,
        "model.decompose.view_gain": 0.05,  # not in the config, but the part takes it
        "custom_hooks.1.interval": 5,
        "randomness": dict(seed=3),
    }
    config = load_config(write(), overrides)
    assert config.model.decompose.width == 8 and config.model.decompose.view_gain == 0.05
    assert config.custom_hooks[1].interval == 5 and config.randomness.seed == 3
    assert load_config(write()).model.decompose.width == 4


@pytest.mark.parametrize(
    "key, text",
    [
        ("model.decompse.width", "no config key 'model.decompse.width': 'decompse' is not known: "
                                 "did you mean 'decompose'"),
        ("model.decompose.widht", "'widht' is not known: did you mean 'width'"),
        ("model.decompose.max_rotation", "did you mean 'max_rotation_deg'"),
        ("custom_hooks.2.interval", "'2' is not known"),
        ("modle", "did you mean 'model'"),
    ],
)  # fmt: skip
def test_an_override_of_an_unknown_key_is_refused(write, key, text):
    with pytest.raises(ConfigError, match=text):
        load_config(write(), {key: 1})


def test_an_override_without_effect_is_refused_and_says_what_has_one():
    """Of every shipped config: a name that its values were made of, which nothing reads later."""
    celeba = "configs/l2r/l2r_celeba.py"
    with pytest.raises(ConfigError, match=r"set train_dataloader\.dataset\.data_root$"):
        load_config(celeba, {"data_root": "/elsewhere"})
    said = "train_dataloader.dataset.data_root"
    assert load_config(celeba, {said: "/elsewhere"}).train_dataloader.dataset.data_root[0] == "/"
    with pytest.raises(
        ConfigError, match=r"set train_dataloader\.dataset\.pipeline\.0\.image_size"
    ):
        load_config("configs/unsup3d/unsup3d_heads.py", {"image_size": 32})
    with pytest.raises(ConfigError, match="is read only while the config is loaded"):
        load_config("configs/unsup3d/unsup3d_heads.py", {"train_pipeline.0.image_size": 32})


def test_overrides_that_import_do_so(write, monkeypatch):
    monkeypatch.syspath_prepend(write("LOADED = True", "imported_by_an_override.py").parent)
    path = write(CONFIG + "custom_imports = dict(imports=[])\n")
    load_config(path, {"custom_imports.imports": ["imported_by_an_override"]})
    assert sys.modules.pop("imported_by_an_override").LOADED


def test_a_misspelt_argument_is_found_before_anything_is_built(write):
    with pytest.raises(ConfigError, match=r"tiny\.py: Unsup3DDecomposer takes no 'widht': did you"):
        load_config(write(CONFIG.replace(" width=", " widht=")))


def test_a_missing_file_suggests_its_neighbour(write):
    path = write()
    with pytest.raises(ConfigError, match=r"no config at .*tiyn\.py: did you mean 'tiny\.py'"):
        load_config(path.with_name("tiyn.py"))
    with pytest.raises(ConfigError, match="no config at"):
        load_config(path.parent / "nowhere" / "tiny.py")


@pytest.mark.parametrize(
    "text",
    [
        "model = dict(",
        "x = 1 / 0",
        "from nowhere_at_all import X",
        CONFIG.replace("GridRenderer", "GridRendrer"),
    ],
    ids=["syntax", "division", "module", "name"],
)
def test_a_config_that_does_not_run_is_one_line(write, text):
    with pytest.raises(ConfigError, match=r"tiny\.py does not load: \w+") as caught:
        load_config(write(text))
    assert "\n" not in str(caught.value)


def test_custom_imports_are_done(write, monkeypatch):
    path = write("LOADED = True", "a_plugin_for_this_test.py")
    monkeypatch.syspath_prepend(path.parent)
    imports = "custom_imports = dict(imports=['{}'], allow_failed_imports={})\n"
    assert "a_plugin_for_this_test" not in sys.modules
    load_config(write(CONFIG + imports.format("a_plugin_for_this_test", False)))
    assert sys.modules.pop("a_plugin_for_this_test").LOADED
    with pytest.raises(ConfigError, match="custom_imports: nowhere_at_all does not import"):
        load_config(write(CONFIG + imports.format("nowhere_at_all", False)))
    load_config(write(CONFIG + imports.format("nowhere_at_all", True)))


def test_shipped_configs_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "configs/unsup3d/unsup3d_heads.py"
    assert load_config(name).protocol == "heads, 64 px"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("protocol = 'mine'\n")
    assert load_config(name).protocol == "mine"
    with pytest.raises(ConfigError, match="no config at unsup3d/unsup3d_heads"):
        load_config("unsup3d/unsup3d_heads.py")


def test_load_model_leaves_losses_out_and_sleeps(write, tmp_path):
    model = load_model(write())
    assert isinstance(model, FaceReconstructor) and not model.losses and not model.training
    weights = tmp_path / "w.safetensors"
    write_weights({**model.state_dict(), "losses.x.weight": model.decompose.view_limits}, weights)
    again = load_model(write(), weights)
    for key, value in model.state_dict().items():
        assert (again.state_dict()[key] == value).all(), key
    with pytest.raises(WeightsError, match=r"w\.safetensors is of another architecture"):
        load_model(load_config(write(), {"model.decompose.width": 8}), weights)


def test_a_protocol_may_change_the_model(tmp_path):
    own = tmp_path / "mine.py"
    text = "test_dataloader = test_evaluator = dict()\nprotocol = 'mine'\n"
    own.write_text(text + "model = dict(render=dict(size=48))\n")
    changed = load_config("configs/unsup3d/unsup3d_heads.py", protocol=str(own))
    plain = load_config("configs/unsup3d/unsup3d_heads.py")
    assert changed.model.render.size == 48 and "size" not in plain.model.render
    assert changed.model.decompose == plain.model.decompose and changed.protocol == "mine"
