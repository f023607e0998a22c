"""Installed plugins. Importing this module imports each of them, once.

A plugin is a package with an entry point in the group `l2rkit.plugins`; importing it registers its
parts. The sockets import this module on the first look-up of a name that is a string, so a plugin
costs nothing until it could be needed. A plugin that fails is named in a warning and skipped: it
cannot break the others.
"""

import warnings
from importlib.metadata import entry_points

GROUP = "l2rkit.plugins"


def load_plugins() -> list[str]:
    """The names of the plugins that were imported."""
    loaded = []
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # a plugin may fail in any way at all
            warnings.warn(
                f"plugin '{entry.name}' ({entry.value}) was skipped: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        else:
            loaded.append(entry.name)
    return loaded


LOADED = load_plugins()
