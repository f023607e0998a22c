"""The metrics of tables, and their sort directions."""

import pytest

from l2rkit.leaderboard.columns import COLUMNS, PUBLISHED
from l2rkit.leaderboard.table import table

# Errors and distances: nothing else is better when it is lower.
LOWER = {
    "side", "mad", "face_side", "face_mad", "predicted_side", "own_side", "cross_impostor",
    "fine_normal", "face_normal", "face_fine_normal", "normal_mad",
    "fmd", "kmd", "cross_fmd", "yaw_error", "pitch_error", "roll_error", "shape_error",
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_the_better_row_comes_first(name: str) -> None:
    entries = [
        dict(
            config="m",
            protocol="p",
            level="x4",
            n=4,
            restore=config,
            metrics={name: dict(mean=value)},
        )
        for config, value in (("middle", 2.0), ("high", 3.0), ("low", 1.0))
    ]
    order = [
        line.split(" | ")[2].split()[0].rstrip(",") for line in table(entries).splitlines()[2:]
    ]
    assert order == (["low", "middle", "high"] if name in LOWER else ["high", "middle", "low"])


def test_titles_are_unique_and_usable_as_keys_of_a_metafile() -> None:
    titles = [column.title for column in COLUMNS.values()]
    assert len(set(titles)) == len(titles)
    assert not [title for title in titles if "," in title or ":" in title]
    assert set(COLUMNS) < set(PUBLISHED)


def test_names_of_others_stay_within_their_cells() -> None:
    """Names come from anybody's results.json; a table is a page's, in the end."""
    names = dict(config="a|b<script>x</script>\n# y", protocol="p", level="clean", restore="none")
    text = table([names | dict(seed=0, n=2, metrics={"side": {"mean": 1.5, "std": 0.5}})])
    lines = text.splitlines()
    assert len(lines) == 3 and "<" not in text
    assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1
