"""Entries of results, and their metrics per image."""

import json
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from l2rkit.errors import DataError, UserError
from l2rkit.leaderboard import results
from l2rkit.leaderboard.results import (
    SAME,
    enter,
    identity,
    named,
    packed,
    read_arrays,
    read_entries,
)
from l2rkit.restore import FaceRestorer

SIDES = [1.0, 2.0, 3.0, 4.0]


def entry(level: str, mean: float = 2.5, **more: object) -> dict:
    made = dict.fromkeys(SAME) | {"config": "c", "protocol": "heads", "level": level, "n": 4}
    return made | {"metrics": {"side": {"mean": mean}, "coverage": {"mean": 1.0}}} | more


def test_figures_of_images_come_back_with_their_entry(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path, {"side": SIDES, "coverage": [1.0] * 4})
    enter(entry("x4", 3.5), path, {"side": [s + 1 for s in SIDES]})
    enter(entry("mild"), path)
    clean, x4, mild = read_entries(path)
    assert clean["each"]["side"].tolist() == SIDES and clean["each"]["side"].dtype == np.float32
    assert list(clean["each"]) == ["side", "coverage"]
    assert x4["each"]["side"].tolist() == [2, 3, 4, 5] and mild["each"] == {}
    assert "each" not in json.loads(path.read_text())[0]


def test_what_is_replaced_comes_back(tmp_path: Path) -> None:
    path, first = tmp_path / "results.json", entry("clean", command="one")
    assert enter(first, path) is None and enter(entry("x4"), path) is None
    assert enter(entry("clean", command="two"), path) == first
    assert [e["command"] for e in read_entries(path)] == ["unknown", "two"]


def test_entries_of_several_processes_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: enter(entry(f"level {n}"), path, {"side": SIDES}), range(24)))
    assert {e["level"] for e in read_entries(path)} == {f"level {n}" for n in range(24)}
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["results.json", "results.npz"]


def test_checkpoints_of_two_trainings_of_a_restorer_are_two() -> None:
    names = [named(dict(type="A", weights=f"work_dirs/{n}/iter_9.pth")) for n in "xy"]
    assert names == ["A(weights=x/iter_9.pth)", "A(weights=y/iter_9.pth)"]
    assert named(dict(type="A", weights="/home/me/best.pth")) == "A(weights=best.pth)"


def test_figures_of_images_are_kept_in_half_precision(tmp_path: Path) -> None:
    path, figures = tmp_path / "results.json", np.random.default_rng(0).uniform(20, 30, 4)
    enter(entry("clean", float(figures.mean())), path, {"side": figures})
    back = read_entries(path)[0]["each"]["side"]
    np.testing.assert_allclose(back, figures, rtol=2**-11)
    enter(entry("clean", float(figures.mean()) * 1.002), path, {"side": figures})
    assert read_entries(path)[0]["each"] == {}  # of another run


def test_entries_of_before_have_none(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path)
    assert read_entries(path)[0]["each"] == {} and not path.with_suffix(".npz").exists()


def test_entries_of_before_state_no_supervision(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path)
    enter(entry("x4", supervision="I, 3D"), path)
    assert [e["supervision"] for e in read_entries(path)] == ["", "I, 3D"]
    path.write_text(json.dumps([entry("clean", supervision=["I"])]))
    with pytest.raises(DataError, match="not a results file"):
        read_entries(path)


def test_figures_of_another_run_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path, {"side": SIDES})
    stale = path.with_suffix(".npz").read_bytes()
    enter(entry("clean", 7.0), path)  # without: those of before go
    assert read_arrays(path.with_suffix(".npz")) == {}
    path.with_suffix(".npz").write_bytes(stale)  # as if the second write had never been
    assert read_entries(path)[0]["each"] == {}


def test_figures_go_with_their_entry(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path, {"side": SIDES})
    path.write_text("[]")  # somebody took it out
    enter(entry("x4"), path, {"side": SIDES})
    assert list(read_arrays(path.with_suffix(".npz"))) == [f"{identity(entry('x4'))}.side"]


def test_equal_figures_make_equal_files(tmp_path: Path) -> None:
    one, other = {"b": SIDES, "a": [0.1, 0.2]}, {"a": np.array([0.1, 0.2]), "b": SIDES}
    assert packed(one) == packed(other) != packed({"a": [0.1, 0.3], "b": SIDES})
    paths = [tmp_path / name / "results.json" for name in "ab"]
    for path, order in zip(paths, (("clean", "x4"), ("x4", "clean"))):
        path.parent.mkdir()
        for level in order:
            enter(entry(level), path, {"side": SIDES})
    assert len({path.with_suffix(".npz").read_bytes() for path in paths}) == 1


def measured(
    overrides: dict | None = None, config: str = "configs/a.py", n: int = 4, **cfg: object
) -> dict:
    """The entry of a run with these overrides and keys of its config."""
    cfg = Config(dict(model=dict(restore=cfg.pop("restore", None))) | cfg)
    return results.entry(cfg, config, None, {"side": 2.5}, n, overrides or {}, "I")


@pytest.mark.parametrize(
    "other",
    [
        dict(overrides={"model.precision": "bfloat16"}),
        dict(overrides={"test_dataloader.dataset.split": "val"}),
        dict(config="configs/b.py"),
        dict(n=5),
        dict(protocol="people"),
        dict(level="severe"),
        dict(restore=dict(type="Resample")),
        dict(randomness=dict(seed=1)),
    ],
)
def test_runs_that_differ_have_entries_of_their_own(tmp_path: Path, other: dict) -> None:
    path = tmp_path / "results.json"
    for made in (measured(), measured(**other)):
        assert enter(made, path, {"side": SIDES}) is None
    assert enter(measured(**other) | dict(commit="x", date="y"), path, {"side": SIDES}) is not None
    assert len(read_entries(path)) == 2


def test_what_other_keys_tell_is_no_option() -> None:
    made = measured({"protocol": "my heads"}, protocol="my heads")
    assert made["options"] == [] and made["protocol"] == "my heads"
    made = measured({"test_dataloader.dataset.size": 8, "test_dataloader.batch_size": 2}, n=8)
    assert made["options"] == [] and made["n"] == 8


def test_the_command_is_what_a_shell_reads_back() -> None:
    made = measured({"protocol": "my heads", "test_dataloader.dataset.fields": ["img", "depth"]})
    words = shlex.split(made["command"])
    assert words[3:] == [
        *("--cfg-options", "protocol=my heads"),
        *("--cfg-options", "test_dataloader.dataset.fields=['img', 'depth']"),
    ]


def test_what_is_not_known_is_not_entered(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(UserError, match=r"nothing is entered .*: side cannot be known"):
        enter(entry("clean", float("nan")), path)
    assert not path.exists()


def test_the_commit_is_that_of_this_code_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "__file__", str(tmp_path / "results.py"))
    (tmp_path / "results.py").write_text("1\n")
    assert results.commit() == "unknown"  # no repository
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "somebody's own")
    assert results.commit() == "unknown"  # of another project
    git("add", "results.py")
    git("commit", "-m", "ours")
    head = results.commit()
    assert re.fullmatch("[0-9a-f]{7,}", head)
    (tmp_path / "results.py").write_text("2\n")
    assert results.commit() == head + "+"


def test_the_identity_is_stable() -> None:
    """Figures that are stored would be lost with another one."""
    assert identity(entry("clean")) == "39127150fdae7de6"
    assert identity(entry("clean", supervision="I")) == "39127150fdae7de6"


@pytest.mark.parametrize("content", [b"", b"PK nothing", b"not a zip"])
def test_a_broken_file_is_said_and_nothing_lost(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    enter(entry("clean"), path)
    path.with_suffix(".npz").write_bytes(content)
    with pytest.raises(DataError, match="does not hold figures"):
        read_entries(path)
    with pytest.raises(UserError, match="does not hold figures"):
        enter(entry("x4"), path, {"side": SIDES})
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("kind", [FaceRestorer, "FaceRestorer"])
def test_the_command_names_a_restorer_that_the_config_has(kind: object) -> None:
    cfg = Config(dict(model=dict(restore=dict(type=kind)), level="severe"))
    made = results.entry(cfg, "configs/a.py", None, {"side": 1.0}, 4, {}, "I")
    assert (
        made["command"] == "python tools/test.py configs/a.py --level severe --restore FaceRestorer"
    )
    assert made["restore"] == "FaceRestorer"
