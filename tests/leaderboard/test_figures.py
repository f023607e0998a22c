"""Figures in Markdown pages are written from results, and typed ones are found."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from l2rkit.cli.leaderboard import leaderboard
from l2rkit.errors import DataError
from l2rkit.leaderboard.figures import NUMBER, PAGES, TABLE, pages, with_figures

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
METRIC = re.compile(r"\b(SIDE|MAD|MAE|PSNR|SSIM|dB|[Rr]ank-1|cosine|correlation|fmd|kmd)\b")


def entry(config: str, side: float, level: str = "severe", **more: object) -> dict:
    each = np.float32([side - 1, side, side + 1])
    made = dict(config=config, protocol="heads, 64 px", level=level, restore="none", n=3)
    made |= dict(date="2026-01-01", each={"side": each}, supervision="I", weights_sha256=None)
    return made | {"metrics": {"side": {"mean": side}, "flat_side": {"mean": 9.0}}} | more


ENTRIES = [entry("l2r", 1.08), entry("far", 3.0, restore="DFDNet"), entry("l2r", 1.0, "clean")]
PAGE = """\
Before.

<!-- figures
protocol: heads, 64 px
level: {level}
methods: [l2r, {far}]
columns: [{column}]
{more}-->
{old}
After.
"""


def page(old: str = "", **words: str) -> str:
    values = dict(level="severe", far="DFDNet + far", column="side", more="") | words
    return PAGE.format(old=old, **values)


def test_a_table_says_what_the_results_say() -> None:
    made = with_figures(page("| old |\n|---|\n"), ENTRIES, "page.md")
    table = "| method | SIDE x 100 |\n|---|---|\n| l2r | 1.080 |\n| DFDNet + far | 3.000 |\n"
    assert made == page("\n" + table)
    assert with_figures(made, ENTRIES, "page.md") == made
    assert with_figures(page(), ENTRIES, "page.md") == made  # a new one has no table yet


def test_levels_and_baselines_are_rows() -> None:
    made = with_figures(page(level="[clean, severe]", far="(constant depth)"), ENTRIES, "page.md")
    assert "| clean | l2r | 1.000 |\n| clean | (constant depth) | 9.000 |\n| severe |" in made


def test_the_last_entry_of_the_newest_day_counts_and_more_images_before_it() -> None:
    one = "?<!-- figure: l2r; heads, 64 px; severe; side -->"

    def counted(*entries: dict) -> str:
        return with_figures(one, list(entries), "page.md").partition("<")[0]

    old, again = entry("l2r", 1.0), entry("l2r", 2.0, weights_sha256="trained again")
    assert counted(old, again) == "2.000" and counted(again, old) == "1.000"
    few = entry("l2r", 0.5, n=1, date="2026-02-02")
    assert counted(few, old) == counted(old, few) == "1.000"


def test_options_are_part_of_a_method_s_name() -> None:
    half = entry("l2r", 2.0, options=["model.refine.albedo.fidelity=0.5"])
    made = with_figures(page(far="l2r (refine.albedo.fidelity=0.5)"), [half, *ENTRIES], "page.md")
    assert "| l2r | 1.080 |\n| l2r (refine.albedo.fidelity=0.5) | 2.000 |" in made


def test_people_not_images_are_drawn() -> None:
    some = np.float32([0, 0, 5, 5, 1, 1])
    entries = [
        entry("l2r", 2.0, n=6, each={"side": some}, photos_per_person=each) for each in (1, 2)
    ]
    ends = []
    for made in entries:
        zero = entry("far", 0.0, n=6, each={"side": 0 * some}, restore="DFDNet")
        text = with_figures(page(more="difference: [l2r, DFDNet + far]\n"), [made, zero], "page.md")
        ends.append([float(x) for x in re.search(r"2\.000 \[(.*), (.*)\]", text).groups()])
    assert ends[1] == [0.0, 5.0]  # all three people the same one, in 1 of 27 draws each
    assert ends[0][0] > 0 and ends[0][1] < 5


def test_a_difference_is_that_of_the_same_images() -> None:
    made = with_figures(page(more="difference: [DFDNet + far, l2r]\n"), ENTRIES, "page.md")
    # 1.92 more on each of the three images, so there is no doubt
    assert "| DFDNet + far minus l2r (95 % CI) | 1.920 [1.920, 1.920] |" in made


def test_several_differences_are_a_row_each() -> None:
    pairs = "difference: [[DFDNet + far, l2r], [l2r, DFDNet + far]]\n"
    made = with_figures(page(more=pairs), ENTRIES, "page.md")
    there = "| DFDNet + far minus l2r (95 % CI) | 1.920 [1.920, 1.920] |\n"
    assert there + "| l2r minus DFDNet + far (95 % CI) | -1.920 [-1.920, -1.920] |" in made


def test_a_number_in_a_sentence_is_replaced() -> None:
    what = "<!-- figure: l2r; heads, 64 px; severe; side -->"
    for old in ("?", "1.2", "77", "-0.5"):
        text = f"SIDE is {old}{what} here, 2.0 there.\n"
        assert with_figures(text, ENTRIES, "page.md") == f"SIDE is 1.080{what} here, 2.0 there.\n"


def test_the_newest_entry_counts() -> None:
    newer = [entry("l2r", 1.5, date="2026-02-01"), *ENTRIES]
    assert "| l2r | 1.500 |" in with_figures(page(), newer, "page.md")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (page(far="DFDNet + fra"), "page.md:3: no result of .*mean 'DFDNet \\+ far'"),
        (page(level="mild"), "page.md:3: no result of 'l2r' by 'heads, 64 px' at 'mild'"),
        (page(column="sied"), "page.md:3: no figure is called 'sied': did you mean 'side'"),
        (page(more="difference: [l2r]\n"), "page.md:3: 'difference' is not two methods"),
        (page(more="difference: [[l2r], [l2r, far]]\n"), "page.md:3: 'difference' is not two"),
        (page(more="methdos: [l2r]\n"), "page.md:3: figures have"),
        (page(more="[\n"), "page.md:3: figures are not YAML"),
        ("a\n1<!-- figure: l2r; severe; side -->", "page.md:2: not 'method; protocol; level"),
        ("1<!-- figure: l2r; heads, 64 px; severe; mad -->", "page.md:1: .* has no mad"),
    ],
)
def test_what_is_not_there_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        with_figures(text, ENTRIES, "page.md")


def test_pages_without_marks_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(page())
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/plain.md").write_text("SIDE 1.0\n")
    assert list(pages(tmp_path, ENTRIES)) == [tmp_path / "README.md"]


def test_a_stale_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("configs", "projects"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    what = "<!-- figure: l2r_heads; heads, 64 px; severe; side -->"
    Path("README.md").write_text(f"SIDE is 77{what}.\n")
    check = ["--out", "model-zoo.md", "--check"]
    assert "README.md is stale" in CliRunner().invoke(leaderboard, check).output


def typed(text: str) -> list[str]:
    """Paragraphs, list items and tables with a metric and a decimal number, marked by nothing.

    A measurement that no entry of results.json holds has to name the tool that made it.
    """
    rest = NUMBER.sub("", TABLE.sub("\n", FENCE.sub("", text)))
    parts = re.split(r"\n\s*\n(?!\s*\|)|\n(?=\s*- )", rest)  # a table goes with what is above it
    figures = [part for part in parts if METRIC.search(part) and re.search(r"\d\.\d", part)]
    return [part.strip() for part in figures if not re.search(r"`[^`]*tools/\S+\.py", part)]


def test_a_typed_figure_is_found() -> None:
    what = "1.080<!-- figure: l2r; heads, 64 px; severe; side -->"
    kept = f"SIDE is {what}.\n\n- SIDE 1.2 (`python tools/test.py CONFIG`)\n\n```\nSIDE 1.0\n```\n"
    assert typed(page("\n| SIDE |\n|---|\n| 1.080 |\n") + kept + "\nTorch 2.13.\n") == []
    wrong = "- first\n- SIDE is 1.1\n\n| SIDE |\n|---|\n| 1.080 |\n"
    assert typed(wrong) == ["- SIDE is 1.1\n\n| SIDE |\n|---|\n| 1.080 |"]


@pytest.mark.parametrize(
    "path",
    [p for each in PAGES for p in sorted(ROOT.glob(each))],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_no_figure_is_typed_by_hand(path: Path) -> None:
    assert typed(path.read_text("utf-8")) == []
