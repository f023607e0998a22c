"""Model cards of the shipped weights: one Markdown file each, in cards/.

A card has a title, a purpose, and a list of facts, each `- Word: text` with indented continuation
lines. Figures are in results.json, not in cards. `Supervision` is that of
`l2rkit.leaderboard.supervision` for the config.
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
    """The content of a card: name, purpose, and the facts by word."""

    name: str
    purpose: str
    facts: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Card":
        """The card in a file.

        Raises:
            DataError: the title, the purpose or a fact is missing.
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
    """{name of the weights: path of the card}."""
    return {path.stem: path for path in sorted(CARDS.glob("*.md"))}


def card_of(name: str) -> Path:
    """The path of the card of shipped weights.

    Raises:
        WeightsError: there are none of that name.
    """
    if name not in cards():
        raise WeightsError(f"no weights called '{name}' are shipped{near(name, cards())}")
    return cards()[name]


def weights_of(name: str) -> Path:
    """The path of shipped weights.

    Raises:
        WeightsError: there are none of that name.
    """
    return FOLDER / f"{card_of(name).stem}.safetensors"
