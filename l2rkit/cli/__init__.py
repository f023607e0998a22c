"""The commands of `l2rkit`; `tools/` has a thin script for each."""

from importlib import import_module

import click

from ..errors import near
from .common import HELP

NAMES = (
    "app",
    "browse-dataset",
    "demo",
    "doctor",
    "leaderboard",
    "print-config",
    "reconstruct",
    "restore",
    "test",
    "train",
    "zoo",
)


class Commands(click.Group):
    """A group that imports a command on use, so that `--help` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NAMES)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        if args[0] not in NAMES and not args[0].startswith("-"):
            raise click.UsageError(f"no command is called '{args[0]}'{near(args[0], NAMES)}", ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in NAMES:
            return None
        word = name.replace("-", "_")
        return getattr(import_module(f".{word}", __name__), word)


@click.command(cls=Commands, context_settings=HELP)
@click.version_option(package_name="l2rkit")
def main() -> None:
    """3D faces from bad photos: train, test, compare, reconstruct."""
