"""The supervision of configs with known parts, teachers and initial weights."""

import functools
from pathlib import Path

import pytest
from mmengine.config import Config

from l2rkit.config import load_config
from l2rkit.errors import ConfigError, PartError
from l2rkit.leaderboard.supervision import KNOWN, supervision_of
from l2rkit.losses import Distillation
from l2rkit.registry import LOSSES

ROOT = Path(__file__).parents[2]


class Plain:
    """A part that has seen images only."""


class Scanned:
    supervision = ("3D",)


class Heir(Scanned):
    """What a class has learnt, those made of it have."""


class Marked:
    supervision = frozenset({"keypoint"})


@LOSSES.register_module()
class LossByName:
    supervision = ("keypoint",)


def of(model: dict, **more: object) -> str:
    return supervision_of(Config(dict(model=model, **more)))


@pytest.mark.parametrize(
    ("model", "derived"),
    [
        (dict(decompose=dict(type=Plain)), "I"),
        (dict(type=Scanned), "I, 3D"),
        (dict(decompose=dict(type=Heir)), "I, 3D"),
        (dict(losses=dict(points=dict(type=Marked))), "I, keypoint"),
        (dict(decompose=dict(type=Scanned), refine=[dict(type=Marked)]), "I, keypoint, 3D"),
        (dict(refine=dict(albedo=dict(type=Plain, prior=dict(type=Scanned)))), "I, 3D"),
        (dict(losses=dict(points=dict(type="LossByName"))), "I, keypoint"),
        (dict(restore=dict(type="FaceRestorer")), "I"),
        (dict(restore=dict(type="l2rkit.restore.FaceRestorer")), "I"),
        (dict(refine=None), "I"),
    ],
)
def test_parts_say_what_they_have_learnt_from(model: dict, derived: str) -> None:
    assert of(model) == derived and derived in KNOWN


@pytest.mark.parametrize("words", ["3D", ("3d",), ("I",), ["3D"], None])
def test_other_words_are_one_line(words: object) -> None:
    wrong = type("Wrong", (), {"supervision": words})
    with pytest.raises(PartError, match=r"Wrong.supervision is .*'keypoint', '3D'"):
        of(dict(decompose=dict(type=wrong)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configs in configs/mine/: `scanned` and `plain`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    parts = "class Plain:\n    pass\nclass Scanned:\n    supervision = ('3D',)\n"
    (tmp_path / "parts_of_supervision.py").write_text(parts)
    folder = tmp_path / "configs" / "mine"
    folder.mkdir(parents=True)
    for kind in ("Plain", "Scanned"):
        (folder / f"{kind.lower()}.py").write_text(config(kind))
    return folder


def config(kind: str, more: str = "") -> str:
    head = f"from parts_of_supervision import {kind}\n"
    return f"{head}model = dict(decompose=dict(type={kind}))\n{more}\n"


def test_a_student_inherits_from_teachers_and_from_theirs(folder: Path) -> None:
    teachers = {"configs/mine/plain.py": "a", "configs/mine/scanned.py": "b"}
    of_teachers = dict(losses=dict(t=dict(type=Distillation, teachers=teachers)))
    assert of(of_teachers) == "I, 3D"
    teachers.pop("configs/mine/scanned.py")
    assert of(of_teachers) == "I"
    (folder / "student.py").write_text(
        "from l2rkit.losses import Distillation\n"
        "model = dict(losses=dict(t=dict(\n"
        "    type=Distillation, teachers={'configs/mine/scanned.py': 'x'})))\n"
    )
    teachers["configs/mine/student.py"] = "c"
    assert of(of_teachers) == "I, 3D"
    teachers["configs/mine/nobody.py"] = "d"
    with pytest.raises(ConfigError, match="nobody"):
        of(of_teachers)


def test_what_training_began_with_is_inherited(folder: Path) -> None:
    (folder / "second.py").write_text(
        config("Plain", "load_from = 'work_dirs/scanned/iter_100.pth'")
    )
    (folder / "third.py").write_text(config("Plain", "load_from = 'work_dirs/second/iter_7.pth'"))
    assert supervision_of(load_config(folder / "third.py")) == "I, 3D"
    assert of(dict(type=Plain), load_from="somewhere/plain.safetensors") == "I"
    assert of(dict(type=Plain), load_from=None) == "I"


def test_configs_of_before_are_found_beside_one(folder: Path) -> None:
    apart = folder.parents[1] / "elsewhere"
    apart.mkdir()
    (apart / "begun.py").write_text(config("Scanned"))
    (apart / "on.py").write_text(config("Plain", "load_from = 'work_dirs/begun/iter_1.pth'"))
    assert supervision_of(load_config(apart / "on.py")) == "I, 3D"


def test_shipped_weights_stand_for_the_shipped_config(folder: Path) -> None:
    (folder / "unsup3d_heads2.py").write_text(config("Scanned"))  # whose weights they are not
    start = "load_from = 'zoo://unsup3d_heads2'"
    (folder / "on.py").write_text(config("Plain", start))
    assert supervision_of(load_config(folder / "on.py")) == "I"


def test_weights_that_a_part_names_bring_theirs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = dict(refine=dict(albedo=dict(type=Plain, prior=dict(type=Plain, weights="scanned"))))
    monkeypatch.setattr("l2rkit.config.HOMES", (folder.parents[1],))
    assert of(prior) == "I"  # no weights of that name are shipped
    zoo = folder.parents[1] / "zoo"
    zoo.mkdir()
    (zoo / "scanned.safetensors").touch()
    (zoo / "of_no_config.safetensors").touch()
    monkeypatch.setattr("l2rkit.leaderboard.supervision.FOLDER", zoo)
    assert of(prior) == "I, 3D"
    prior["refine"]["albedo"]["prior"]["weights"] = "zoo://scanned"
    assert of(prior) == "I, 3D"
    assert of(dict(features=dict(type=Plain, weights="of_no_config"))) == "I"


def test_a_circle_ends(folder: Path) -> None:
    (folder / "one.py").write_text(config("Plain", "load_from = 'work_dirs/two/iter_1.pth'"))
    (folder / "two.py").write_text(config("Scanned", "load_from = 'work_dirs/one/iter_1.pth'"))
    (folder / "self.py").write_text(config("Plain", "load_from = 'work_dirs/self/iter_1.pth'"))
    assert supervision_of(load_config(folder / "one.py")) == "I, 3D"
    assert supervision_of(load_config(folder / "two.py")) == "I, 3D"
    assert supervision_of(load_config(folder / "self.py")) == "I"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("zoo://unsup3d_head2", "did you mean 'unsup3d_heads2'"),
        ("work_dirs/scand/iter_1.pth", "did you mean 'scanned'"),
        ("work_dirs/runtime/iter_1.pth", "no config is called 'runtime'"),  # it lies in _base_
        ("proxy.pth", "no config is called ''"),
        ("zoo://", "no config is called ''"),
        ("https://example.org/models/face.pth", "no config is called 'models'"),
    ],
)
def test_a_beginning_without_config_is_one_line(folder: Path, start: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        of(dict(type=Plain), load_from=start)
    assert start in str(error.value) and said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "derived"),
    [
        ("configs/l2r/l2r_openfaces_images.py", "I"),  # trainings and teachers deep
        ("configs/restore/heads.py", "I"),
        ("projects/morphable/morphable_heads.py", "I, 3D"),
    ],
)
def test_ours(path: str, derived: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT)
    assert supervision_of(load_config(path)) == derived


def test_what_an_entry_states_is_what_its_config_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results outlive changes of configs; then they are to be measured, or stated, anew."""
    from l2rkit.leaderboard.metafile import config as config_of
    from l2rkit.leaderboard.results import read_entries

    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT)
    once = functools.cache(load_config)  # many inherit from the same ones
    monkeypatch.setattr("l2rkit.config.load_config", lambda path: once(str(path)))
    files = [p for place in ("configs", "projects") for p in Path(place).glob("*/results.json")]
    stated = {
        (config_of(entry), entry["supervision"]) for file in files for entry in read_entries(file)
    }
    assert stated == {(path, supervision_of(once(str(path)))) for path, _ in stated}
