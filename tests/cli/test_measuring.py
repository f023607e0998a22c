"""`l2rkit test`, its entry in results.json, and `l2rkit leaderboard`."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from l2rkit.cli import main
from l2rkit.cli.leaderboard import table
from l2rkit.io.weights import read_weights, write_weights
from l2rkit.leaderboard.results import named, read_entries

RESULTS = "work_dirs/tiny/results.json"


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def side(*words: object) -> str:
    """The line of the output that has the depth error."""
    (line,) = [line for line in run(*words).splitlines() if line.startswith("side ")]
    return line


def test_an_entry_says_what_was_measured(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    run("test", config, weights)
    run("test", config, weights)  # the same again takes the first one's place
    (entry,) = json.loads((tmp_path / RESULTS).read_text())
    assert entry["config"] == "tiny" and entry["protocol"] == "heads" and entry["n"] == 8
    assert entry["supervision"] == "I"
    assert entry["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert entry["command"] == f"python tools/test.py {config} {weights}"
    assert {"mean", "std"} == set(entry["metrics"]["side"])
    # the figures of each image are kept with it, and are what its own are made of
    (each,) = [e["each"] for e in read_entries(tmp_path / RESULTS)]
    assert {"side", "mad", "coverage"} == set(each) and len(each["side"]) == 8
    for name in ("side", "mad"):
        half = 1e-4 + 2**-11 * float(each[name].max())  # they are kept in half precision
        assert each[name].mean() == pytest.approx(entry["metrics"][name]["mean"], abs=half)
        assert each[name].std(ddof=1) == pytest.approx(entry["metrics"][name]["std"], abs=half)
    # an untrained model knows less than the mean of the true depths
    assert entry["metrics"]["mean_depth_side"]["mean"] < entry["metrics"]["side"]["mean"]
    run("test", config, weights, "--cfg-options", "test_dataloader.dataset.size=4")
    assert [e["n"] for e in json.loads((tmp_path / RESULTS).read_text())] == [8, 4]
    board = run("leaderboard", tmp_path / RESULTS)
    assert board.count("| tiny |") == 2 and board.count("(constant depth)") == 2


def test_dry_run_writes_nothing(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    output = run("test", config, weights, "--dry-run")
    assert "side" in output and not list(tmp_path.rglob("results.*"))


def test_what_is_measured_are_the_given_weights(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    before = side("test", config, weights, "--dry-run")
    other = tmp_path / "other.safetensors"
    write_weights({k: v * 1.5 for k, v in read_weights(weights).items()}, other)
    config.write_text(config.read_text() + f"load_from = {str(other)!r}\n")
    assert side("test", config, weights, "--dry-run") == before
    assert side("test", config, other, "--dry-run") != before


def test_an_entry_names_the_supervision_of_losses_which_measuring_does_without(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    head = "from l2rkit.losses import DepthVariance\n"
    loss = f"{head}class TrueDepth(DepthVariance):\n    supervision = ('3D',)\n"
    (tmp_path / "true_depth.py").write_text(loss)
    monkeypatch.syspath_prepend(tmp_path)
    more = "model['losses'] = dict(depth=dict(type=TrueDepth))\n"
    config.write_text(f"from true_depth import TrueDepth\n{config.read_text()}{more}")
    run("test", config, weights)
    (entry,) = json.loads((tmp_path / RESULTS).read_text())
    assert entry["supervision"] == "I, 3D"


def test_weights_of_unknown_supervision_begin_no_entry(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    config.write_text(config.read_text() + "load_from = 'found/iter_1.pth'\n")
    result = CliRunner().invoke(main, ["test", str(config), str(weights)])
    assert result.exit_code == 2 and "no config is called 'found'" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("results.*"))
    run("test", config, weights, "--dry-run")  # enters nothing, so it need not know


def test_unknown_overrides_are_one_line(config: Path, weights: Path) -> None:
    words = ["test", str(config), str(weights), "--cfg-options", "model.decompose.widht=8"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and "did you mean 'width'?" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_what_cannot_be_measured_is_one_line(config: Path, weights: Path) -> None:
    for words, said in (
        (("--cfg-options", "test_dataloader.dataset.size=0"), "size is 1 or more, not 0"),
        (
            ("--level=severe", "--cfg-options", "test_dataloader.dataset.pipeline=[]"),
            "--level needs a pipeline of the test set",
        ),
    ):
        result = CliRunner().invoke(main, ["test", str(config), str(weights), *words])
        assert result.exit_code == 2 and said in result.stderr, result.output
        assert len(result.stderr.strip().splitlines()) == 1


def test_other_data_and_other_models_have_entries_of_their_own(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    run("test", config, weights)
    run("test", config, weights, "--cfg-options", "test_dataloader.dataset.split=val")
    run("test", config, weights, "--cfg-options", "model.render.supersample=2")
    entries = read_entries(tmp_path / RESULTS)
    assert [e["options"] for e in entries] == [
        [],
        ["test_dataloader.dataset.split=val"],
        ["model.render.supersample=2"],
    ]
    assert all(e["photos_per_person"] == 4 and len(e["each"]["side"]) == 8 for e in entries)
    lines = run("leaderboard", tmp_path / RESULTS).splitlines()
    of_val = [line for line in lines if "dataset.split=val" in line]
    assert len(of_val) == 1 and "[" not in of_val[0]  # compared with nothing
    assert any("| tiny (render.supersample=2) |" in line for line in lines)


def test_of_one_entry_in_two_places_the_newer_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = dict(config="a", protocol="heads", level="clean", n=4, restore="none")
    days = {"configs/a": (1.0, "2026-11-30"), "work_dirs/a": (9.0, "2025-01-01")}
    for folder, (side, day) in days.items():
        Path(folder).mkdir(parents=True)
        entry = made | dict(metrics={"side": {"mean": side}}, date=day)
        Path(folder, "results.json").write_text(json.dumps([entry]))
    shown = run("leaderboard")
    assert "| 1.000 |" in shown and "9.000" not in shown


def test_rows_of_one_name_say_their_weights() -> None:
    made = {"config": "a", "protocol": "heads", "level": "clean", "n": 4, "seed": 0}
    entries = [
        made | {"weights_sha256": digest * 8, "metrics": {"side": {"mean": side}}}
        for digest, side in (("0123abcd", 1.0), ("beefbeef", 2.0))
    ]
    lines = table(entries).splitlines()
    assert lines[2].startswith("| heads | clean | a (weights 0123abcd, seed 0) |")
    assert lines[3].startswith("| heads | clean | a (weights beefbeef, seed 0) |")


def test_the_best_comes_first() -> None:
    def entry(name: str, side: float) -> dict:
        metrics = {"side": {"mean": side, "std": 0.1}, "mad": {"mean": 20.0}}
        metrics |= {"flat_side": {"mean": 3.0}, "flat_mad": {"mean": 40.0}}
        return {"config": name, "protocol": "heads", "level": "clean", "n": 4, "metrics": metrics}

    lines = table([entry("worse", 2.0), entry("better", 1.0)]).splitlines()
    assert [line.split(" | ")[2] for line in lines[2:]] == ["better", "worse", "(constant depth)"]
    assert lines[2] == "| heads | clean | better |  | 1.000 ± 0.100 | 20.00 | 4 |"


def test_what_was_not_measured_stays_empty() -> None:
    def entry(name: str, **figures: float) -> dict:
        metrics = {key: {"mean": value} for key, value in figures.items()}
        return {"config": name, "protocol": "heads", "level": "clean", "n": 4, "metrics": metrics}

    drawn = entry("drawn", render_psnr=20.0)
    both = entry("both", side=2.0, mad=20.0, flat_side=3.0, flat_mad=40.0, render_psnr=21.0)
    lines = table([drawn, entry("deep", side=1.0, mad=10.0, flat_side=3.0), both]).splitlines()
    assert lines[2:] == [
        "| heads | clean | deep |  | 1.000 | 10.00 |  | 4 |",
        "| heads | clean | both |  | 2.000 | 20.00 | 21.00 | 4 |",
        "| heads | clean | drawn |  |  |  | 20.00 | 4 |",
        "| heads | clean | (constant depth) |  | 3.000 |  |  | 4 |",
    ]


def test_figures_of_photos_have_a_table_of_their_own() -> None:
    def entry(restore: str, psnr: float) -> dict:
        metrics = {"psnr": {"mean": psnr, "std": 1.0}, "ssim": {"mean": 0.5}}
        return {
            "config": "photos", "protocol": "photos", "level": "x4", "n": 4,
            "restore": restore, "metrics": metrics,
        }  # fmt: skip

    depth = {"side": {"mean": 1.0}, "mad": {"mean": 2.0}}
    depth = {"config": "c", "protocol": "heads", "level": "x4", "n": 4, "metrics": depth}
    first, second = table([entry("worse", 20), depth, entry("better", 30)]).split("\n\n")
    assert first.splitlines()[2] == "| heads | x4 | c |  | 1.000 | 2.00 | 4 |"
    titles = "| protocol | level | method | supervision | PSNR dB | SSIM | images |"
    assert second.splitlines()[0] == titles
    methods = [line.split(" | ")[2] for line in second.splitlines()[2:]]
    assert methods == ["better + photos", "worse + photos"]


def test_the_page_and_what_lies_beside_it_go_stale_with_the_results(
    tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    made = dict(config="c", protocol="heads", level="clean", restore="none", n=4, seed=0)
    made |= dict(weights_sha256=None, commit="a", hardware="b", date="c")
    made |= dict(metrics={"side": {"mean": 1.0}}, command="python tools/test.py configs/m/c.py")
    results = tmp_path / "configs" / "m" / "results.json"
    results.parent.mkdir(parents=True)
    results.write_text(json.dumps([made, {**made, "level": "severe"}]))
    board = ["leaderboard", "--out", "page.md"]
    run(*board)
    run(*board, "--check")
    drawing = tmp_path / "docs" / "robustness.svg"
    drawing.write_text("another matplotlib draws otherwise")  # its bytes are not checked
    run(*board, "--check")
    for path in (
        tmp_path / "page.md",
        tmp_path / "model-index.yml",
        results.with_name("metafile.yml"),
    ):
        text = path.read_text()
        path.write_text(text + "more")
        result = CliRunner().invoke(main, [*board, "--check"])
        assert result.exit_code == 1 and f"{path.name} is stale" in result.stderr
        path.write_text(text)
    made["metrics"] = {"side": {"mean": 2.0}}
    results.write_text(json.dumps([made]))
    result = CliRunner().invoke(main, [*board, "--check"])
    assert result.exit_code == 1 and result.stderr.count("is stale") == 2


def test_levels_and_restorers_are_measured_and_entered(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    clean = side("test", config, weights)
    severe = side("test", config, weights, "--level", "severe")
    assert severe != clean
    assert side("test", config, weights, "--level", "severe", "--dry-run") == severe
    mended = side("test", config, weights, "--level", "severe", "--restore", "Resample")
    # enlarged by interpolation and shrunk again: nearly the photo itself
    assert float(mended.split()[1]) == pytest.approx(float(severe.split()[1]), rel=0.05)
    for _ in range(2):  # made by the first, found by the second
        keep = ("--keep", tmp_path / "kept", "--dry-run")
        restored = side(
            "test", config, weights, "--level", "severe", "--restore", "Resample", *keep
        )
        assert restored == mended and len(list((tmp_path / "kept").iterdir())) == 8
    entries = json.loads((tmp_path / RESULTS).read_text())
    assert [(e["level"], e["restore"]) for e in entries] == [
        ("clean", "none"),
        ("severe", "none"),
        ("severe", "Resample"),
    ]
    assert entries[2]["command"].endswith("--level severe --restore Resample")
    board = run("leaderboard", tmp_path / RESULTS)
    assert board.count("| Resample + tiny |") == 1 and board.count("| tiny |") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--level", "sever"), "no level is called 'sever': did you mean 'severe'?"),
        (("--restore", "Resampel"), "did you mean 'Resample'?"),
        (("--keep", "kept"), "--keep is for a 3D method behind a restorer"),
    ],
)
def test_unknown_levels_and_restorers_are_one_line(
    config: Path, weights: Path, words: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(main, ["test", str(config), str(weights), *words])
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_arguments_of_a_restorer_are_measured_and_entered(
    config: Path, weights: Path, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["test", config, weights, "--restore", "Resample", "--restorer-options"]
    assert side(*words, "method=bilinear") != side(*words, "method=lanczos")
    entries = json.loads((tmp_path / RESULTS).read_text())
    names = ["Resample(method=bilinear)", "Resample(method=lanczos)"]  # neither replaces the other
    assert [entry["restore"] for entry in entries] == names
    assert entries[0]["command"].endswith("--restore Resample --restorer-options method=bilinear")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--restore", "Resample", "--restorer-options", "scael=2"), "did you mean 'scale'?"),
        (("--restorer-options", "scale=2"), "name it with --restore"),
    ],
)
def test_wrong_options_of_a_restorer_are_one_line(
    config: Path, weights: Path, words: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(main, ["test", str(config), str(weights), *words])
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_restorer_is_named_without_folders() -> None:
    assert named(dict(type="Resample")) == "Resample"
    options = dict(type="Spandrel", weights="/some/where/GFPGANv1.4.pth")
    assert named(options) == "Spandrel(weights=GFPGANv1.4.pth)"


def test_what_a_metric_requires_in_vain_is_named(config: Path, weights: Path) -> None:
    words = ["--dry-run", "--cfg-options", "test_dataloader.dataset.fields=[img]"]
    result = CliRunner().invoke(main, ["test", str(config), str(weights), *words])
    assert result.exit_code == 2 and "DepthErrors requires 'depth' of each photo" in result.stderr


def test_a_folder_is_no_weight_file(config: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["test", str(config), str(tmp_path), "--dry-run"])
    assert result.exit_code == 2 and f"{tmp_path} is a folder" in result.stderr
