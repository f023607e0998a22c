"""`l2rkit print-config`: a config merged with its bases."""

from typing import Any

import click

from .common import HELP, OVERRIDES, import_mmengine, user_errors


@click.command("print-config", context_settings=HELP)
@click.argument("config", type=click.Path())
@OVERRIDES
@user_errors
def print_config(config: str, cfg_options: dict[str, Any]) -> None:
    """Prints CONFIG merged with its bases and changes. It builds no part and reads no weights."""
    import_mmengine()
    from ..config import load_config

    click.echo(load_config(config, cfg_options).pretty_text, nl=False)
