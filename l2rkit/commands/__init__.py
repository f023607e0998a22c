"""The commands; `tools/` holds one thin script for each, `l2rkit` has them all."""

from importlib import import_module

import click

NAMES = ("leaderboard", "reconstruct", "restore", "test", "train")


class Commands(click.Group):
    """A group that imports a command when it is asked for, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return getattr(import_module(f".{name}", __name__), name) if name in NAMES else None


@click.command(cls=Commands)
@click.version_option(package_name="l2rkit")
def main() -> None:
    """3D faces from bad photos: train, test, compare, reconstruct."""
