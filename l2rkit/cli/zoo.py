"""`l2rkit zoo`: the shipped weights, their cards and paths."""

import click

from .common import HELP, user_errors
from .tables import in_columns

TITLES = ("name", "MB", "what for", "licence of its training data")


@click.group(context_settings=HELP)
def zoo() -> None:
    """Lists and describes the shipped weights."""


@zoo.command("list")
@user_errors
def names() -> None:
    """Prints a table of the shipped weights."""
    from ..zoo.card import LICENCE, Card, cards, weights_of

    rows = [TITLES]
    for name, path in cards().items():
        card = Card.read(path)
        size = f"{weights_of(name).stat().st_size / 1e6:.1f}"
        rows.append((name, size, card.purpose, card.facts[LICENCE]))
    click.echo("\n".join(in_columns(rows)))


@zoo.command()
@click.argument("name")
@user_errors
def show(name: str) -> None:
    """Prints the card of NAME: use, training data, licence and limits."""
    from ..zoo.card import card_of

    click.echo(card_of(name).read_text("utf-8").rstrip())


@zoo.command()
@click.argument("name")
@user_errors
def path(name: str) -> None:
    """Prints the path of NAME's file."""
    from ..zoo.card import weights_of

    click.echo(weights_of(name).resolve())
