"""Commands check the paths of results before they begin."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mmengine.runner import Runner

from l2rkit.cli import main
from l2rkit.errors import WeightsError
from l2rkit.zoo import FOLDER, weight_file

RESULTS = "work_dirs/tiny/results.json"
ENTRY = dict(config="c", protocol="heads", level="clean", n=4, supervision="I", command="x")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Of each test's own, as they look whether heads were drawn."""
    return tmp_path / "heads"


def line_of(result: Result) -> str:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    return line


def test_results_go_to_the_work_dir_and_are_found_there(config: Path, weights: Path) -> None:
    done = run("test", config, weights)
    assert done.exit_code == 0 and done.stdout.splitlines()[-1] == f"entered in {RESULTS}"
    assert "| tiny |" in run("leaderboard").stdout
    chosen = run("test", config, weights, "--work-dir", "mine")
    assert chosen.exit_code == 0 and Path("mine/results.json").is_file()
    both = run("leaderboard", RESULTS, "mine/results.json").stdout
    assert both.count("| tiny |") == 1, "what was measured twice has one row"


@pytest.mark.parametrize("bad", ["a folder", "no results", "no folder"])
def test_nothing_is_measured_for_results_that_cannot_be_written(
    config: Path, weights: Path, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(self: Runner) -> None:
        raise AssertionError("it has begun to measure")

    monkeypatch.setattr(Runner, "test", measured)
    Path("dir").mkdir()
    Path("text.json").write_text("a letter")
    where = {"a folder": "dir", "no results": "text.json", "no folder": "text.json/results.json"}
    said = {"a folder": "it is a folder", "no results": "not a results file"}
    line = line_of(run("test", config, weights, "--results", where[bad]))
    assert said.get(bad, "cannot write to text.json") in line


@pytest.mark.parametrize("command", ["browse-dataset", "leaderboard"])
def test_no_page_or_picture_is_made_for_a_folder(config: Path, command: str) -> None:
    Path("dir.png").mkdir()
    words = [command] + ([config] if command == "browse-dataset" else [RESULTS])
    if command == "leaderboard":  # click knows by itself
        assert "is a directory" in run(*words, "--out", "dir.png").stderr
        words, said = [*words, "--out", "text/page.md"], "cannot write to text"
        Path("text").write_text("")
    else:
        words, said = [*words, "--split", "test", "--out", "dir.png"], "it is a folder"
    assert said in line_of(run(*words)) and not Path("heads").exists()


def test_no_data_are_made_for_a_work_dir_that_cannot_be_written(config: Path) -> None:
    Path("text").write_text("")
    config.write_text(config.read_text() + "train_dataloader = dict(**test_dataloader)\n")
    line = line_of(run("train", config, "--work-dir", "text/run"))
    assert "cannot write to text/run" in line and not Path("heads").exists()


def test_a_leaderboard_of_nothing_says_where_it_looked() -> None:
    line = line_of(run("leaderboard"))
    assert "work_dirs/*/results.json" in line and "l2rkit test CONFIG" in line
    Path("work_dirs/mine").mkdir(parents=True)
    metrics = {"side": {"mean": 1.0}}
    Path("work_dirs/mine/results.json").write_text(json.dumps([ENTRY | dict(metrics=metrics)]))
    assert "| c |" in run("leaderboard").stdout
    line = line_of(run("leaderboard", "--out", "page.md"))  # what is published is in configs/
    assert "work_dirs" not in line and not Path("page.md").exists()


@pytest.mark.parametrize("by_name", [True, False])
def test_a_logger_that_is_not_installed_is_said_before_data_are_made(
    config: Path, by_name: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("l2rkit.cli.train.find_spec", lambda name: None)
    kind = "'TensorboardVisBackend'" if by_name else "TensorboardVisBackend"
    text = "from mmengine.visualization import TensorboardVisBackend, Visualizer\n"
    text += f"visualizer = dict(type=Visualizer, vis_backends=[dict(type={kind})])\n"
    config.write_text(config.read_text() + text + "train_dataloader = dict(**test_dataloader)\n")
    line = line_of(run("train", config))
    assert line.endswith("needs the package tensorboard: pip install tensorboard")
    assert not Path("heads").exists()


def test_back_ends_that_are_no_list_are_one_line(config: Path) -> None:
    text = "visualizer = dict(vis_backends=dict(type='TensorboardVisBackend'))\n"
    config.write_text(config.read_text() + text + "train_dataloader = dict(**test_dataloader)\n")
    line = line_of(run("train", config))
    assert "visualizer.vis_backends is a list such as [dict(type=" in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("test", "train_cfg.max_iters=3"),
            "train_cfg.max_iters=3 has no effect here: 'train_cfg'",
        ),
        (("test", "load_from=a.pth"), "'load_from' is not read"),
        (("train", "test_dataloader.batch_size=2"), "'test_dataloader' is not read"),
        (("train", "resume=True"), "resume=True has no effect: say --resume"),
        (("train", "launcher=pytorch"), "launcher=pytorch has no effect: say --launcher"),
    ],
)
def test_a_change_that_the_command_does_not_read_is_refused(
    config: Path, words: tuple[str, str], said: str
) -> None:
    command, option = words
    assert said in line_of(run(command, config, "--cfg-options", option))


@pytest.mark.parametrize("command", ["reconstruct", "restore"])
def test_a_folder_is_made_with_its_first_file(command: str, config: Path, weights: Path) -> None:
    words = {
        "reconstruct": ("--no-align", "--config", config, "--weights", weights),
        "restore": ("--restorer", "Resample"),
    }[command]
    for photo in ("missing.jpg", "text.jpg"):
        Path("text.jpg").write_text("no photo")
        failed = run(command, photo, *words, "--out", "a/b")
        assert failed.exit_code == 1 and not Path("a").exists(), failed.output
    done = run(command, FOLDER / "samples" / "head.jpg", *words, "--out", "a/b")
    assert done.exit_code == 0 and Path("a/b/head.png").is_file(), done.output


@pytest.mark.parametrize("command", ["reconstruct", "restore"])
def test_a_folder_that_cannot_be_made_is_refused_first(command: str) -> None:
    Path("text").write_text("")
    Path("link").symlink_to("nowhere")
    for out in ("text/out", "link", "x" * 300):
        assert f"cannot write to {out}: " in line_of(run(command, "missing.jpg", "--out", out))


def test_shipped_weights_have_a_name_with_and_without_zoo() -> None:
    for name in ("unsup3d_heads_32", "zoo://unsup3d_heads_32"):
        assert weight_file(name) == FOLDER / "unsup3d_heads_32.safetensors"
    with pytest.raises(WeightsError, match="unsup3d_heads_3"):
        weight_file("zoo://unsup3d_heads_3")
