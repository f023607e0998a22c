"""Installed plugins. Importing this module imports each of them once.

A plugin is a package with an entry point in the group `l2rkit.plugins`; importing it registers its
parts. The registries import this module at the first look-up of a string, so plugins cost nothing
before. A plugin that fails, or calls `sys.exit` during import, is named in a warning and skipped.
The warning lists its parts that were registered before the failure.
"""

import warnings
from importlib.metadata import entry_points
from typing import Any, NamedTuple

GROUP = "l2rkit.plugins"


class Plugin(NamedTuple):
    """A plugin: `parts` are the names that it registered, `fault` its error or ""."""

    name: str
    module: str
    parts: list[str]
    fault: str


def import_plugins() -> list[Plugin]:
    """Imports every installed plugin."""
    found, entries = [], entry_points(group=GROUP)
    if entries:  # ours come first, so that a plugin's part with a name of ours is refused
        for parts in registries().values():
            parts.import_from_location()
    for entry in entries:
        before, fault = set(registered()), ""
        try:
            entry.load()
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            fault = " ".join(f"{type(error).__name__}: {error}".split())
        parts = sorted(set(registered()) - before)
        found.append(Plugin(entry.name, entry.value, parts, fault))
    return found


def load_plugins() -> list[str]:
    """The names of the plugins that were imported; a warning for each that was not."""
    for plugin in (found := import_plugins()):
        if plugin.fault:
            there = f"; registered before that: {', '.join(plugin.parts)}" if plugin.parts else ""
            warnings.warn(
                f"plugin '{plugin.name}' ({plugin.module}) was skipped: {plugin.fault}{there}",
                stacklevel=2,
            )
    STATES[:] = found
    return [plugin.name for plugin in found if not plugin.fault]


def registered() -> list[str]:
    """The short names of all parts that others registered, as `LOSSES.GreyAlbedo`.

    Our own are left out: a plugin that imports a module of ours does not add its parts.
    """
    return [
        f"{key}.{name}"
        for key, parts in registries().items()
        for name, part in parts.module_dict.items()
        if part.__module__.split(".")[0] != __package__
    ]


def registries() -> dict[str, Any]:
    """The registries of parts by their names."""
    from . import registry

    kind = registry.PartRegistry
    return {key: value for key, value in vars(registry).items() if isinstance(value, kind)}


STATES: list[Plugin] = []  # all plugins, also those that failed
load_plugins()
