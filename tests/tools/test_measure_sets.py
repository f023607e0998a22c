"""`tools/measure_sets.py` on a model with known errors."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from l2rkit.degrade import DegradationLevel
from l2rkit.geometry import view_of
from l2rkit.structures import Face, Light, Rendering
from l2rkit.testing import example_face
from tools import measure_sets


class Fake:
    """Its depth is wrong by a ramp that shrinks with the size of the set that a photo is in."""

    def __init__(self, truth: torch.Tensor) -> None:
        self.truth, self.groups = truth, []
        self.decompose = SimpleNamespace(shares=None)  # it is a model of many photos

    def shares(self, photo: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
        return photo[:, 0, 0, 0]

    def predict_collection(self, photo: torch.Tensor, group: torch.Tensor) -> SimpleNamespace:
        self.groups += group.tolist()
        size = group.bincount()[group].float()
        ramp = torch.linspace(-1, 1, photo.shape[-1]).expand(len(photo), 1, *photo.shape[2:])
        depth = self.truth[: len(photo)] * (0.01 * ramp / size[:, None, None, None]).exp()
        rendering = Rendering(photo, torch.ones_like(depth), depth)
        return SimpleNamespace(rendering=rendering, face=example_face(32, len(photo)))


@pytest.fixture
def truth() -> torch.Tensor:
    depth = example_face(32).depth[:1].expand(32, 1, 32, 32).clone()
    depth[..., 0, :] = 1.2  # the farthest is background
    return depth


def test_errors_are_those_of_sets_of_neighbours(truth: torch.Tensor) -> None:
    photo = torch.rand(32, 3, 32, 32)
    alone, _ = measure_sets.measured(measure_sets.predicting(Fake(truth), photo), truth, 1)
    model = Fake(truth)
    four, _ = measure_sets.measured(measure_sets.predicting(model, photo), truth, 4)
    assert model.groups == [i // 4 for i in range(32)]
    assert alone / four == pytest.approx(np.full(32, 4), rel=1e-3)
    assert alone[0] == pytest.approx(100 * 0.01 * np.linspace(-1, 1, 32)[1:-1].std(), rel=1e-3)


def test_a_method_of_single_photos_predicts_once_and_shares_by_the_mean(
    truth: torch.Tensor,
) -> None:
    noise = torch.linspace(-1, 1, 32) * torch.tensor([1.0, -1, 3, 1]).repeat(8)[:, None]
    face = replace(example_face(32, 32), depth=truth + 0.001 * noise[:, None, None])
    face = face.with_view(view_of())  # from the same side, so that all albedos count the same
    face.albedo[:] = torch.tensor([0.1, 0.3, 0.5, 0.9]).repeat(8)[:, None, None, None]
    calls, rendered, colours = [], [], []

    def predict(photo: torch.Tensor) -> list:
        calls.append(len(photo))
        return [SimpleNamespace(face=face)]

    def render(face: Face) -> Rendering:
        rendered.append(face.depth)
        colours.append(face.albedo[:4, 0, 0, 0].tolist())
        return Rendering(face.albedo, torch.ones_like(face.depth), face.depth)

    model = SimpleNamespace(predict=predict, render=render, decompose=object())
    predicted = measure_sets.predicting(model, torch.rand(32, 3, 32, 32))
    alone, two, four = (measure_sets.measured(predicted, truth, size)[0] for size in (1, 2, 4))
    torch.testing.assert_close(rendered[0], face.depth)
    assert two[[0, 1]] == pytest.approx(0, abs=1e-4)  # 1 and -1 cancel; 3 and 1 leave 2
    assert two[[2, 3]] == pytest.approx(2 * alone[[0, 0]], rel=1e-2)
    assert four[:4] == pytest.approx(alone[[0] * 4], rel=1e-2)
    for found, known in zip(
        colours, ([0.1, 0.3, 0.5, 0.9], [0.2, 0.2, 0.7, 0.7], [0.45] * 4), strict=True
    ):
        assert found == pytest.approx(known)
    assert calls == [32]


def test_a_face_ranks_first_only_with_its_own_persons_photo() -> None:
    gallery = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rank = measure_sets.Ranks(gallery)
    codes = rank.gallery.repeat_interleave(measure_sets.EACH, 0)
    assert rank.of(codes).tolist() == [100.0] * 24
    codes[:2] = rank.gallery[1]  # two faces that look like the second person
    assert rank.of(codes).tolist() == [0.0, 0.0] + [100.0] * 22


def test_faces_are_compared_under_the_same_light() -> None:
    rank = measure_sets.Ranks(torch.rand(1, 3, 64, 64))
    face = example_face(64, 2)
    face.albedo[1], face.depth[1] = face.albedo[0], face.depth[0]
    light = Light(torch.tensor([0.2, 0.9]), torch.tensor([0.8, 0.1]), face.light.direction)
    lights, render = [], rank.render
    rank.render = lambda face: lights.append(face.light.packed()) or render(face)
    codes = rank.codes(face.with_light(light))
    torch.testing.assert_close(codes[0], codes[1])
    assert lights[0].tolist() == [[0.5, 0.5, 0.0, 0.0, -1.0]] * 2


def test_heads_are_ordered_by_person_without_the_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo, depth, gallery = measure_sets.load_heads(2, 32)
    assert photo.shape == (16, 3, 32, 32) and depth.shape == (16, 1, 32, 32)
    assert gallery.shape == (2, 3, 128, 128)
    heads = measure_sets.DetailedHeads(split="test", size=18, photos_per_person=9)
    ninth = torch.from_numpy(heads[17]["img"]).permute(2, 0, 1) / 255
    small = torch.nn.functional.interpolate(gallery[1:], size=64, mode="area")[0]
    assert (small - ninth).abs().mean() < 0.02  # the same photo at another size
    assert (small - torch.nn.functional.interpolate(photo[8:], size=64)[0]).abs().mean() > 0.05


def test_the_interval_is_over_people() -> None:
    assert measure_sets.interval(np.full(16, 2.0), 8) == "2.000 [2.000, 2.000]"
    two = np.repeat([1.0, 3.0], 8)  # with two people, the mean of draws is 1, 2 or 3
    assert measure_sets.interval(two, 8) == "2.000 [1.000, 3.000]"


def test_the_first_of_four_is_spoilt_and_the_others_are_measured(truth: torch.Tensor) -> None:
    photo = torch.zeros(32, 3, 32, 32)
    photo[8:] = 1
    model = Fake(truth)
    before = measure_sets.measured(measure_sets.predicting(model, photo), truth, 4)[0]
    before[0] += 5  # the spoilt photo itself, which does not count
    share, grown = measure_sets.disturbed(
        model, photo, truth, lambda photo: torch.full_like(photo, 0.25), before - 1
    )
    assert share == "0.250 [0.250, 0.250]"  # the fake says of each photo what its first pixel is
    assert grown == "1.000 [1.000, 1.000]"
    assert torch.equal(measure_sets.someone_else(photo)[:8], photo[-8:])


def test_all_photos_are_degraded_before_they_are_measured(
    truth: torch.Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    truth, photo, seen = truth[:16], torch.rand(16, 3, 32, 32), []
    gallery = torch.rand(2, 3, 64, 64)
    model = Fake(truth)
    model.image_size = 32
    predict = model.predict_collection
    model.predict_collection = lambda some, group: seen.append(some) or predict(some, group)
    monkeypatch.setattr(measure_sets, "load_model", lambda config, weights: model)
    monkeypatch.setattr(measure_sets, "load_heads", lambda people, size: (photo, truth, gallery))
    entries = tmp_path / "results.json"
    words = ["configs/lap/lap_heads2.py", "--level", "severe", "--results", str(entries)]
    result = CliRunner().invoke(measure_sets.main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "one of 4 is someone else" in result.output and "is severe" not in result.output
    bad = DegradationLevel("severe")(photo, torch.Generator().manual_seed(0))
    assert torch.equal(seen[0], bad)
    first = json.loads(entries.read_text())[0]
    assert first["level"] == "severe" and first["protocol"] == "heads 2, 32 px, sets of 1"
    assert first["command"].endswith("configs/lap/lap_heads2.py --level severe")


def test_methods_that_are_compared_see_photos_of_one_size() -> None:
    words = ["configs/unsup3d/unsup3d_heads_32.py", "--against", "configs/l2r/l2r_heads.py"]
    result = CliRunner().invoke(measure_sets.main, words)
    assert result.exit_code == 2 and "takes photos of 64 px, not 32" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_an_unknown_level_is_one_line() -> None:
    result = CliRunner().invoke(
        measure_sets.main, ["configs/lap/lap_heads2.py", "--level", "sever"]
    )
    assert result.exit_code == 2 and "did you mean 'severe'?" in result.output
