"""`l2rkit test --protocol` replaces the config's test set and metrics."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from l2rkit.cli import main
from l2rkit.config import load_config
from l2rkit.data import EachAlone
from l2rkit.errors import ConfigError

BASE = Path(__file__).parents[2] / "configs" / "_base_" / "protocols"
RUNTIME = "configs/_base_/default_runtime.py"
PROTOCOLS = ("apart", "celeba", "cross_view", "cross_view_scans")
PROTOCOLS += ("heads_128", "photoface", "photos", "photos_manifest", "synface")
SETS = ("apart", "celeba", "heads2", "heads2_128", "heads_128", "heads_faces", "photos_manifest")


def run(config: Path, weights: Path, *words: object) -> object:
    return CliRunner().invoke(main, ["test", *map(str, (config, weights, *words))])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_takes_the_place_of_the_test_set(protocol: str, config: Path) -> None:
    followed, own = load_config(config, protocol=protocol), load_config(config)
    assert followed.protocol != own.protocol
    assert followed.test_dataloader.dataset != own.test_dataloader.dataset
    assert followed.pretty_text  # the Runner dumps it


@pytest.mark.parametrize(
    ("protocol", "size"),
    [
        *[(name, 64) for name in ("apart", "celeba", "cross_view", "cross_view_scans", "heads2")],
        *[(name, 64) for name in ("heads2_cross_view", "photoface", "photos", "photos_manifest")],
        *[("synface", 64), ("heads2_128", 128), ("heads_128", 128), ("heads_faces", 128)],
    ],
)
def test_faces_of_any_size_are_rendered_at_that_of_the_photos(
    protocol: str, size: int, config: Path
) -> None:
    followed, own = load_config(config, protocol=protocol), load_config(config)
    assert followed.model.render == dict(own.model.render, size=size)


def test_without_a_renderer_there_is_nothing_to_compare(config: Path) -> None:
    config.write_text(config.read_text() + "model['render'] = None\n")
    with pytest.raises(ConfigError, match=r"apart compares renderings, .* render=None"):
        load_config(config, protocol="apart")


@pytest.mark.parametrize("protocol", SETS)
def test_where_people_are_known_each_photo_is_seen_alone(protocol: str, config: Path) -> None:
    first, *_ = load_config(config, protocol=protocol).test_dataloader.dataset.pipeline
    assert first.type is EachAlone


@pytest.mark.parametrize(
    ("protocol", "title"),
    [
        ("cross_view", "cross-view, heads, 64 px"),
        ("heads2_cross_view", "cross-view, heads 2, 64 px"),
    ],
)
def test_cross_view_is_measured_and_entered(
    protocol: str,
    title: str,
    config: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = {"people": 1, "image_size": 32, "root": tmp_path / "heads"}
    words = [f"--cfg-options=test_dataloader.dataset.{k}={v}" for k, v in options.items()]
    words.append("--cfg-options=model.render.size=32")
    result = run(config, weights, "--protocol", protocol, *words)
    assert result.exit_code == 0, result.output
    (entry,) = json.loads((tmp_path / "work_dirs/tiny/results.json").read_text())
    assert entry["protocol"] == title and entry["n"] == 3
    assert {"side", "mad", "predicted_side", "own_side", "flat_side"} <= set(entry["metrics"])
    assert f"--protocol {protocol} --cfg-options" in entry["command"]
    arrays = np.load(tmp_path / "work_dirs/tiny/results.npz")
    assert {len(arrays[key]) for key in arrays} == {3}


def test_photos_of_a_folder(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crops").mkdir()
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "crops" / f"{i}.png")
    words = [
        "protocol=noise",
        "test_dataloader.dataset.data_root=crops",
        "test_dataloader.dataset.pipeline.1.image_size=32",
    ]
    result = run(config, weights, "--protocol=photos", *(f"--cfg-options={w}" for w in words))
    assert result.exit_code == 2
    *_, said = result.stderr.splitlines()
    assert said.endswith("Error: Scene.rendering.image must be (3, 3, 32, 32), not (3, 3, 64, 64)")
    words.append("model.render.size=32")
    result = run(config, weights, "--protocol=photos", *(f"--cfg-options={w}" for w in words))
    assert result.exit_code == 0, result.output
    (entry,) = json.loads((tmp_path / "work_dirs/tiny/results.json").read_text())
    assert entry["protocol"] == "noise" and entry["n"] == 3
    assert {"render_psnr", "albedo_symmetry", "depth_asymmetry"} <= set(entry["metrics"])


def test_a_file_of_one_s_own_and_its_imports(config: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "custom_imports = dict(imports=['wave'])\nprotocol = 'mine'\n"
        "test_dataloader = dict(batch_size=7)\ntest_evaluator = dict()\n"
    )
    assert load_config(config, protocol=str(own)).test_dataloader.batch_size == 7
    own.write_text("custom_imports = dict(imports=['no_such_module'])\n")
    with pytest.raises(ConfigError, match="no_such_module"):
        load_config(config, protocol=str(own))


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("cross_veiw", "did you mean 'cross_view.py'?"),
        (RUNTIME, "default_runtime.py is no protocol to measure by: it has no 'protocol'"),
    ],
)
def test_unknown_protocols_are_one_line(
    config: Path, weights: Path, protocol: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BASE.parents[2])
    result = run(config, weights, "--protocol", protocol, "--dry-run")
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
