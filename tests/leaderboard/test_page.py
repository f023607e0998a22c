"""Tables with intervals, published figures, the plot and the index of models."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from l2rkit.cli.leaderboard import leaderboard
from l2rkit.errors import DataError
from l2rkit.leaderboard.metafile import index, listed, metafile
from l2rkit.leaderboard.page import elsewhere, page, read_archive, read_published
from l2rkit.leaderboard.plot import curves, plot
from l2rkit.leaderboard.results import digest
from l2rkit.leaderboard.table import AGAINST, table
from l2rkit.zoo import zoo_file

EACH = np.array([1.0, 2.0, 3.0, 2.0], np.float32)


def entry(config: str, each: np.ndarray | None = None, key: str = "side", **more: object) -> dict:
    figures = EACH if each is None else each
    made = {
        "config": config,
        "protocol": "heads",
        "level": "clean",
        "restore": "none",
        "supervision": "",
        "n": 4,
        "metrics": {key: {"mean": float(figures.mean())}},
        "each": {} if each is None else {key: each},
        "weights_sha256": "0123456789abcdef0123",
        "command": f"python tools/test.py configs/unsup3d/{config}.py",
    }
    made |= dict(commit="abc", seed=0, hardware="a machine", date="2026-01-01")
    return made | more


def cells(text: str, column: int) -> list[str]:
    return [line.strip("| ").split(" | ")[column] for line in text.splitlines()[2:]]


def test_rows_are_held_against_the_best_on_the_same_images() -> None:
    rows = [entry("far", EACH + 1), entry("same", EACH), entry("best", EACH)]
    rows.append(entry("worst", np.float32([5, 2, 3, 2]) + 1))
    text = table([rows[2], *rows[:2], rows[3]])
    assert cells(text, 2) == ["best", "same", "far", "worst"]
    against = cells(text, 5)
    # always 1 more on every image: no doubt at all; only one image differs more: it may be 1 to 4
    assert against[:3] == ["best", "[0.000, 0.000]", "[1.000, 1.000]"]
    low, high = (float(end) for end in against[3].strip("[]").split(", "))
    assert low == 1 and 3 <= high <= 5


def test_more_decibels_are_better() -> None:
    text = table([entry("worse", EACH + 20, "psnr"), entry("better", EACH + 21.5, "psnr")])
    assert cells(text, 2) == ["better", "worse"]
    assert cells(text, 5) == ["best", "[-1.50, -1.50]"]


def test_rows_without_images_figures_stay_empty() -> None:
    old, short = entry("old"), entry("short", EACH + 2)
    text = table([entry("best", EACH - 1), old, short])
    assert cells(text, 2) == ["best", "old", "short"]
    assert [line.split(" | ")[5] for line in text.splitlines()[2:]] == [
        "best",
        "",
        "[3.000, 3.000]",
    ]
    # where the best has none nobody can be held against it; where none has, there is no column
    assert AGAINST not in table([entry("best"), entry("short", EACH + 1)])
    assert AGAINST not in table([entry("best"), entry("old")])


def test_settings_are_not_mixed() -> None:
    text = table([entry("best", EACH - 1), entry("other", EACH, level="x4")])
    assert "[" not in text


def test_the_best_of_each_supervision_is_bold_in_each_setting() -> None:
    rows = [
        entry("scans", EACH, supervision="I, 3D"),
        entry("more scans", EACH + 1, supervision="I, 3D"),
        entry("photos", EACH + 2, supervision="I"),
        entry("more photos", EACH + 3, supervision="I"),
        entry("unknown", EACH - 1, supervision=""),
        entry("bad photos", EACH + 4, level="x4", supervision="I"),
        entry("undone", supervision="I, keypoint", metrics={"mad": {"mean": 9.0}}),
    ]
    rows[2]["metrics"]["side"]["std"] = 0.5
    rows[4]["metrics"]["flat_side"] = {"mean": 9.0}
    rows[5]["metrics"]["mad"] = {"mean": 9.0}  # so that all stand in one table
    lines = [line.strip("| ").split(" | ") for line in table(rows).splitlines()[2:]]
    assert [line[2:5] for line in lines] == [
        ["unknown", "", "1.000"],
        ["scans", "I, 3D", "**2.000**"],
        ["more scans", "I, 3D", "3.000"],
        ["photos", "I", "**4.000** ± 0.500"],
        ["more photos", "I", "5.000"],
        ["undone", "I, keypoint", ""],
        ["(constant depth)", "", "9.000"],
        ["bad photos", "I", "**6.000**"],
    ]


def test_bad_photos_by_themselves_are_no_method_and_never_bold() -> None:
    rows = [entry("photos", EACH, "psnr", supervision="I")]
    rows.append(entry("photos", EACH - 1, "psnr", supervision="I", restore="DFDNet"))
    text = table(rows)
    assert cells(text, 3) == ["", "I"] and cells(text, 4) == ["2.00", "**1.00**"]


def test_published_figures_say_their_supervision_where_it_is_known(tmp_path: Path) -> None:
    known = read_published(published(tmp_path, {**PAPER, "supervision": "I, 3D"}, PAPER))
    lines = elsewhere(known).splitlines()
    assert lines[0] == "| data | method | supervision | SIDE x 100 | source |"
    assert lines[2:] == [
        "| D | M | I, 3D | 0.500 ± 0.100 | A paper |",
        "| D | M |  | 0.500 ± 0.100 | A paper |",
    ]


def published(tmp_path: Path, *entries: dict) -> Path:
    path = tmp_path / "published.json"
    path.write_text(json.dumps(entries))
    return path


PAPER = dict(method="M", data="D", metrics={"side": {"mean": 0.5, "std": 0.1}}, source="A paper")


def test_published_figures_stand_apart_with_data_and_source(tmp_path: Path) -> None:
    known = read_published(published(tmp_path, PAPER))
    assert elsewhere(known).splitlines()[2] == "| D | M | 0.500 ± 0.100 | A paper |"
    measured, _, rest = page([entry("ours", EACH)], known).partition("## Published by others")
    assert "A paper" not in measured and "A paper" in rest and "not to be compared" in rest
    assert read_published(tmp_path / "none.json") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {**PAPER, "metrics": {"sied": {"mean": 1}}},
        {k: PAPER[k] for k in ("method", "metrics")},
        {**PAPER, "supervision": "3D"},
        {**PAPER, "supervision": ["I"]},
        3,
    ],
)
def test_what_is_no_published_figure_is_said(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(DataError, match="published"):
        read_published(published(tmp_path, wrong))


def test_our_list_of_published_figures_reads_and_names_its_sources() -> None:
    known = read_published(Path(__file__).parents[2] / "configs" / "published.json")
    unsup3d = next(e for e in known if e["method"] == "Unsup3D")
    assert unsup3d["metrics"]["side"]["mean"] == 0.793 and all(e["source"] for e in known)


def test_archived_protocols_have_a_page_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, protocol in (("new", "heads 2"), ("old", "heads")):
        made = entry(f"of_{name}", EACH, protocol=protocol)
        Path("configs", name).mkdir(parents=True)
        Path("configs", name, "results.json").write_text(json.dumps([made | {"each": {}}]))
    told = dict(page="docs/old.md", title="Old", text="Why.", protocols=["heads"])
    Path("configs/archive.json").write_text(json.dumps(told))
    result = CliRunner().invoke(leaderboard, ["--out", "zoo.md"])
    assert result.exit_code == 0, result.output
    board, archived = Path("zoo.md").read_text(), Path("docs/old.md").read_text()
    assert "of_new" in board and "of_old" not in board
    assert "of_old" in archived and "of_new" not in archived
    assert archived.startswith("# Old\n\nWhy.\n\n| protocol |")
    assert "configs/unsup3d/of_old.py" in archived


@pytest.mark.parametrize(
    "wrong", [[], {"page": "a.md"}, dict(page="a.md", title="", text="", protocols="heads")]
)
def test_what_is_no_archive_is_said(tmp_path: Path, wrong: object) -> None:
    path = tmp_path / "archive.json"
    assert read_archive(path) is None
    path.write_text(json.dumps(wrong))
    with pytest.raises(DataError, match="does not describe an archive"):
        read_archive(path)


def test_commands_are_folded_away() -> None:
    text = page([entry("ours", EACH), entry("old")], [])
    assert text.count("python tools/test.py configs/unsup3d/ours.py") == 1
    fold = text[text.index("<details>") : text.index("</details>")]
    assert "| ours | `python tools/test.py" in fold and "2 runs" in fold


def severities(config: str, *sides: float, **more: object) -> list[dict]:
    levels = ("clean", "x4", "mild", "severe")
    return [
        entry(config, np.full(4, side, np.float32), level=level, **more)
        for side, level in zip(sides, levels)
    ]


def test_the_plot_has_a_line_for_each_method_of_the_largest_setting() -> None:
    rows = [
        *severities("small", 1, 2, 3, 4, protocol="other"),
        *severities("a", 1, 2, 3, 4),
        *severities("b", 2, 3),
        *severities("b", 2, 3, restore="Resample"),
        *severities("point", 5),
    ]
    assert curves(rows) == {
        ("a", "none"): dict(clean=1, x4=2, mild=3, severe=4),
        ("b", "none"): dict(clean=2, x4=3),
        ("b", "Resample"): dict(clean=2, x4=3),
    }
    drawing = plot(rows)
    assert drawing == plot(list(reversed(rows)))  # to the byte
    texts = [node.text for node in ElementTree.fromstring(drawing).iter() if node.text]
    assert {"a", "b", "Resample + b", "severe"} <= set(texts) and "point" not in texts
    assert "docs/robustness.svg" in page(rows, [])
    assert "docs/robustness.svg" not in page([entry("point", EACH)], [])


def test_an_index_of_models_in_openmmlabs_format(tmp_path: Path) -> None:
    readme = "# Unsup3D\n\nWu: *Probably\nSymmetric*, CVPR.\n\n*Not this.*\n"
    (tmp_path / "README.md").write_text(readme)
    sha = digest(zoo_file("unsup3d_heads_32.safetensors"))
    rows = severities("unsup3d_heads_32", 1, 2, 3, 4, weights_sha256=sha)
    rows += severities("unshipped", 2, supervision="I, 3D")
    document = yaml.safe_load(metafile(tmp_path, listed(rows[::-1])))
    (collection,) = document["Collections"]
    assert collection["Name"] == "Unsup3D"
    assert collection["Paper"] == {"Title": "Probably Symmetric"}
    models = {model["Name"]: model for model in document["Models"]}
    shipped, other = models["unsup3d_heads_32"], models["unshipped"]
    assert shipped["Weights"] == "l2rkit/zoo/unsup3d_heads_32.safetensors"
    assert other["Metadata"] == {"Training Supervision": "I, 3D"} and "Metadata" not in shipped
    assert shipped["In Collection"] == "Unsup3D" and "Weights" not in other
    assert shipped["Config"] == "configs/unsup3d/unsup3d_heads_32.py"
    assert [r["Dataset"] for r in shipped["Results"]] == [
        "heads, clean, 4 images",
        "heads, severe, 4 images",
    ]
    assert [r["Metrics"]["SIDE x 100"] for r in shipped["Results"]] == [1, 4]
    made = yaml.safe_load(index([Path("configs/unsup3d/metafile.yml")]))
    assert made == {"Import": ["configs/unsup3d/metafile.yml"]}


def test_a_bad_photo_by_itself_is_no_model() -> None:
    photo, restored = entry("photos", EACH, "psnr"), entry("p", EACH, "psnr", restore="DFDNet")
    assert listed([photo, restored]) == [restored]


def people(config: str, own: float, restore: str = "none", **figures: float) -> dict:
    metrics = {"rank1_own": own, **figures}
    made = entry(config, protocol="people", restore=restore, supervision="I", level="severe")
    return made | {"metrics": {name: {"mean": value} for name, value in metrics.items()}}


def test_people_are_sorted_by_rank_and_pictures_are_separate_from_faces() -> None:
    some = [
        people("l2r", 40.0, rank1_side=20.0),
        people("people", 86.0, "FaceRestorer"),
        people("people", 50.0),
        people("mesh", 60.0, "FaceRestorer", rank1_side=30.0),
    ]
    text = table(some)
    names = ["FaceRestorer, 2D", "FaceRestorer + mesh", "the photo itself", "l2r"]
    assert [cell.strip() for cell in cells(text, 2)] == names
    assert "**86.0**" in text and "**50.0**" not in text
    assert not listed([some[2]]) and len(listed(some)) == 3


def test_groups_of_people_have_a_table_of_their_own() -> None:
    some = [people("l2r", 40.0, rank1_side=9.0, rank1_own_studio=60.0, rank1_own_dark=30.0)]
    text = page(some, [])
    rows = text.partition("## Who is served worse")[2]
    assert "| studio | dark |" in rows and "| people | severe | l2r | 60.0 | 30.0 |" in rows
    assert "rank1_own_" not in rows.partition("## How")[0]
    assert "served worse" not in page([entry("a")], [])
