"""`l2rkit leaderboard --run` with a stand-in for tools/test.py."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from l2rkit.cli.leaderboard import leaderboard
from l2rkit.errors import DataError
from l2rkit.leaderboard import matrix
from l2rkit.leaderboard.matrix import Cell, read_matrix
from l2rkit.leaderboard.results import enter, read_entries
from l2rkit.zoo import FOLDER

# Fails at `severe`; otherwise says of the runs which there were, and enters four images.
STAND_IN = """
import sys
from pathlib import Path
from l2rkit.leaderboard.results import enter
words, results = sys.argv[1:-2], Path(sys.argv[-1])
with open("runs.txt", "a") as file:
    file.write(" ".join(words) + chr(10))
if "severe" in words:
    sys.exit("Traceback ...\\nError: no such photos")
made = dict(config=Path(words[0]).stem, weights_sha256=WEIGHTS, protocol="heads",
            level=words[2] if len(words) > 1 else "clean", restore="none", seed=0, n=4,
            metrics=dict(side=dict(mean=2.5)), command="python tools/test.py " + " ".join(words))
enter(made, results, dict(side=[1, 2, 3, 4]))
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A matrix of three levels of a config without weights; returns the list of runs."""
    monkeypatch.chdir(tmp_path)
    Path("configs/tiny").mkdir(parents=True)
    group = dict(configs=["configs/tiny/tiny.py"], restorers=[""], weights="none")
    group["levels"] = ["clean", "x4", "severe", "mild"]
    Path("configs/matrix.json").write_text(json.dumps([group]))
    Path("stand_in.py").write_text(STAND_IN.replace("WEIGHTS", "None"))
    monkeypatch.setattr(matrix, "TEST", tmp_path / "stand_in.py")
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parents[1]))
    return tmp_path / "runs.txt"


def run(*words: str) -> Result:
    return CliRunner().invoke(leaderboard, ["--run", *words])


def levels() -> list[str]:
    return sorted(e["level"] for e in read_entries(Path("configs/tiny/results.json")) if e["each"])


def test_parallel_runs_are_all_entered_and_a_failed_one_is_reported(runs: Path) -> None:
    result = run("--jobs", "4")
    assert result.exit_code == 1
    assert levels() == ["clean", "mild", "x4"]  # none lost
    (failed,) = [line for line in result.stderr.splitlines() if "failed" in line]
    assert failed.endswith("failed: tiny, severe: no such photos")
    assert len(result.stderr.splitlines()) == 4 and "Traceback" not in result.output
    assert "| heads | clean | tiny |  | 2.500 |" in result.stdout


def test_what_is_measured_is_not_measured_again(runs: Path) -> None:
    assert run("--only", "tiny, x4").exit_code == 0
    assert run("--only", "tiny, x4").exit_code == 0
    assert runs.read_text().splitlines() == ["configs/tiny/tiny.py --level x4"]
    # an entry without its images' figures is not enough, nor one of other weights
    path = Path("configs/tiny/results.json")
    entries = json.loads(path.read_text())
    path.with_suffix(".npz").unlink()
    assert run("--only", "tiny, x4").exit_code == 0
    assert len(runs.read_text().splitlines()) == 2 and levels() == ["x4"]
    path.unlink()
    enter({**entries[0], "weights_sha256": "00"}, path, dict(side=[1, 2, 3, 4]))
    assert run("--only", "tiny, x4").exit_code == 0
    assert len(runs.read_text().splitlines()) == 3
    path.unlink()
    nameless = {key: value for key, value in entries[0].items() if key != "command"}
    enter(nameless, path, dict(side=[1, 2, 3, 4]))  # an entry by hand, say
    assert run("--only", "tiny, x4").exit_code == 0
    assert len(runs.read_text().splitlines()) == 4


def test_it_goes_on_after_it_was_ended(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [cell for cell in read_matrix(Path("configs/matrix.json")) if cell.level != "severe"]

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matrix.run(cells, 1, stop)
    assert "clean" in levels()  # what had ended is whole
    before = len(levels())
    lines = []
    assert matrix.run(cells, 1, lines.append) == 0
    assert levels() == ["clean", "mild", "x4"]
    assert sum("there already" in line for line in lines) == before


def test_only_what_a_restorer_makes_for_a_method_is_kept(runs: Path, tmp_path: Path) -> None:
    words, restored = "--restore Resample", str(tmp_path / "restored")
    other = "--cfg-options model.render.size=128"
    for cell in (
        Cell("configs/tiny/tiny.py", "clean", "", False),
        Cell("configs/tiny/tiny.py", "clean", words, False),
        Cell("configs/tiny/tiny.py", "clean", words, True),  # the restorer itself is measured
        Cell("configs/tiny/tiny.py", "clean", other, False),
    ):
        matrix.measure(cell, 1, restored)
    plain, kept, alone, changed = runs.read_text().splitlines()
    assert kept == f"{plain} {words} --keep {restored}" and alone == f"{plain} {words}"
    assert changed == f"{plain} {other}"


def test_weights_that_are_not_shipped_are_skipped_with_the_reason(runs: Path) -> None:
    group = dict(configs=["configs/tiny/tiny.py"], restorers=[""], levels=["clean"])
    Path("configs/matrix.json").write_text(json.dumps([group]))
    result = run()
    assert result.exit_code == 0 and not runs.exists()
    assert "skipped: tiny, clean: no weights are shipped" in result.stderr


def test_a_cell_says_what_the_entry_will_say() -> None:
    words = "--restore RealESRGAN --cfg-options model.precision=bfloat16"
    cell = Cell("configs/a/b.py", "severe", words, False)
    assert cell.words == ["configs/a/b.py", "--level", "severe", *words.split()]
    assert cell.name == f"b, severe, {words}"


def test_our_matrix_measures_shipped_weights_as_the_entries_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    cells = read_matrix(Path("configs/matrix.json"))
    assert all(Path(cell.config).is_file() for cell in cells)
    commands = {f"python tools/test.py {' '.join(cell.words)}" for cell in cells}
    files = sorted(Path("configs").glob("*/results.json"))
    entered = {entry["command"] for path in files for entry in read_entries(path)}
    # a new cell may wait for its run; a changed word would part all cells of a kind from theirs
    assert len(commands & entered) > 0.9 * len(cells), sorted(commands - entered)[:5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--run", "--only", "tinny"), "did you mean 'tiny'?"),
        (("--only", "tiny"), "are for --run"),
        (("--run", "--matrix", "none.json"), "none.json is not a matrix"),
    ],
)
def test_mistakes_are_one_line(runs: Path, words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(leaderboard, words)
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


QUOTE = '[{"configs": ["a.py"], "levels": ["clean"], "restorers": ["--restore \'A"]}]'


@pytest.mark.parametrize("text", ["{", "[1]", '[{"configs": ["a"]}]', '{"a": 1}', QUOTE])
def test_what_is_no_matrix_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "matrix.json"
    path.write_text(text)
    with pytest.raises(DataError, match="is not a matrix"):
        read_matrix(path)
