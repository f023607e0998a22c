"""Cards of the shipped weights: one Markdown file for each, in cards/.

A title, a line that says what it is for, and a list of facts, each `- Word: text`, which may go on
in indented lines. Figures are not among them: those live in results.json. `Supervision` is what
`l2rkit.leaderboard.supervision` derives from the config.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, WeightsError, near
from . import FOLDER

CARDS = FOLDER / "cards"
LICENCE = "Licence of the training data"
FACTS = ("Config", "Use", "Training data", "Supervision", LICENCE, "Limits")


@dataclass(frozen=True)
class Card:
    """What a card says."""

    name: str
    purpose: str
    facts: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Card":
        """The card in a file.

        Raises:
            DataError: it lacks something.
        """
        title, _, rest = path.read_text("utf-8").partition("\n")
        purpose, _, listed = rest.strip().partition("\n\n")
        found = re.findall(r"^- ([^:\n]+): (.*(?:\n  .*)*)", listed, re.MULTILINE)
        card = cls(
            title.removeprefix("# "),
            " ".join(purpose.split()),
            {word: " ".join(text.split()) for word, text in found},
        )
        missing = [word for word in FACTS if word not in card.facts]
        if card.name != path.stem or not card.purpose or missing:
            raise DataError(f"the card {path} has no {', '.join(missing) or 'title and purpose'}")
        return card


def cards() -> dict[str, Path]:
    """The cards by the name of their weights."""
    return {path.stem: path for path in sorted(CARDS.glob("*.md"))}


def card_of(name: str) -> Path:
    """The card of shipped weights.

    Raises:
        WeightsError: there are none of that name.
    """
    if name not in cards():
        raise WeightsError(f"no weights called '{name}' are shipped{near(name, cards())}")
    return cards()[name]


def weights_of(name: str) -> Path:
    """The file of shipped weights.

    Raises:
        WeightsError: there are none of that name.
    """
    return FOLDER / f"{card_of(name).stem}.safetensors"
