"""Plugins: found by entry point, imported on the first short name, never able to break others."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from l2rkit import plugins


def entry(name, load):
    return SimpleNamespace(name=name, value=f"{name}_package", load=load)


def fail(error):
    raise error


def test_a_broken_plugin_is_named_and_the_others_load(monkeypatch):
    asked, seen = [], []
    found = [
        entry("first", lambda: seen.append(1)),
        entry("broken", lambda: fail(ImportError("no module named 'moon'"))),
        entry("last", lambda: seen.append(3)),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda group: asked.append(group) or found)
    with pytest.warns(UserWarning, match=r"plugin 'broken' \(broken_package\) was skipped: .*moon"):
        loaded = plugins.load_plugins()
    assert loaded == ["first", "last"] and seen == [1, 3] and asked == ["l2rkit.plugins"]


def test_plugins_wait_for_a_short_name():
    code = (
        "import sys, l2rkit.model, l2rkit.render\n"
        "from l2rkit.registry import RENDERERS\n"
        "RENDERERS.build(dict(type=l2rkit.render.GridRenderer))\n"
        "assert 'l2rkit.plugins' not in sys.modules\n"
        "RENDERERS.build(dict(type='GridRenderer'))\n"
        "assert 'l2rkit.plugins' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
