"""`l2rkit zoo`, and the cards of shipped files."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from l2rkit.cli import main
from l2rkit.config import load_config
from l2rkit.errors import DataError
from l2rkit.leaderboard.supervision import supervision_of
from l2rkit.zoo import FOLDER
from l2rkit.zoo.card import CARDS, FACTS, Card, cards

ROOT = FOLDER.parents[1]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["zoo", *words])


def test_each_shipped_weight_file_has_a_card_and_nothing_else_has() -> None:
    assert sorted(cards()) == sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    assert {path.suffix for path in CARDS.iterdir()} == {".md"}


@pytest.mark.parametrize("name", cards())
def test_cards_say_all_and_name_a_config_that_is_there(name: str) -> None:
    card = Card.read(cards()[name])
    assert list(card.facts) == list(FACTS) and all(card.facts.values())
    config = card.facts["Config"].strip("`")
    assert config.startswith("none") or ROOT.joinpath(config).is_file()
    if not config.startswith("none"):
        assert card.facts["Supervision"] == supervision_of(load_config(ROOT / config))


def test_the_list_has_a_line_for_each_with_its_size_and_licence() -> None:
    head, *lines = run("list").stdout.splitlines()
    assert head.split()[:2] == ["name", "MB"] and max(map(len, lines)) <= 120
    firsts = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert [lines[number].split()[0] for number in firsts] == list(cards())
    (number,) = [n for n in firsts if lines[n].startswith("unsup3d_heads_32 ")]
    size = (FOLDER / "unsup3d_heads_32.safetensors").stat().st_size
    assert float(lines[number].split()[1]) == pytest.approx(size / 1e6, abs=0.05)
    at = head.index("licence")
    licence = " ".join(line[at:].strip() for line in lines[number : number + 2])
    assert licence == "CC0 shapes of MakeHuman; no photos of people"


def test_show_is_the_card_and_path_the_file() -> None:
    assert run("show", "dfdnet").stdout.strip() == (CARDS / "dfdnet.md").read_text().strip()
    path = Path(run("path", "dfdnet").stdout.strip())
    assert path.is_absolute() and path == (FOLDER / "dfdnet.safetensors").resolve()


@pytest.mark.parametrize("command", ["show", "path"])
def test_an_unknown_name_is_one_line(command: str) -> None:
    result = run(command, "unsup3d_head2")
    assert result.exit_code == 2 and "did you mean 'unsup3d_heads2'?" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# other\n\nFor this.\n\n- Config: x\n", "Use, Training data"),
        ("# a\n", "Config"),
        ("# b\n\nFor this.\n\n" + "".join(f"- {fact}: x\n" for fact in FACTS), "title and purpose"),
    ],
)
def test_a_card_that_lacks_something_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        Card.read(path)


def test_facts_go_on_in_indented_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    facts = "".join(f"- {fact}: one:\n  two\n" for fact in FACTS)
    path.write_text(f"# a\n\nFor\nthis.\n\n{facts}")
    assert Card.read(path) == Card("a", "For this.", dict.fromkeys(FACTS, "one: two"))
