"""Plugins are found by entry point, imported when first needed, and cannot break others."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from fresh import python

from l2rkit import plugins
from l2rkit.config import load_config
from l2rkit.errors import ConfigError
from l2rkit.registry import RESTORERS

ROOT = Path(__file__).parents[1]
PART = """
from l2rkit.registry import RESTORERS

@RESTORERS.register_module()
class Dusted:
    def __init__(self, scale=1):
        self.scale = scale
"""


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
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def installed(tmp_path):
    """Writes a package and what an installer leaves beside it; gives the environment to run in."""

    def install(name: str, code: str) -> dict[str, str]:
        (tmp_path / f"{name}.py").write_text(code)
        facts = tmp_path / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[l2rkit.plugins]\n{name} = {name}\n")
        return os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}

    return install


def test_an_installed_package_fills_a_registry_and_a_broken_one_is_named(installed):
    """The whole way: entry points on disk, short names, a near name of a plug-in's part."""
    installed("moon_plugin", "import a_module_that_is_nowhere\n")
    environment = installed("dust_plugin", PART)
    code = (
        "from l2rkit.errors import PartError\n"
        "from l2rkit.registry import RESTORERS\n"
        "assert RESTORERS.build(dict(type='Dusted', scale=3)).scale == 3\n"
        "from l2rkit.plugins import STATES\n"
        "loaded = [plugin.name for plugin in STATES if not plugin.fault]\n"
        "assert 'dust_plugin' in loaded and 'moon_plugin' not in loaded, loaded\n"
        "try:\n"
        "    RESTORERS.build(dict(type='Dustd'))\n"
        "except PartError as error:\n"
        "    assert \"did you mean 'Dusted'\" in str(error), error\n"
    )
    done = python("-c", code, env=environment)
    assert done.returncode == 0, done.stderr
    expected = "plugin 'moon_plugin' (moon_plugin) was skipped: ModuleNotFoundError"
    assert expected in done.stderr and "dust_plugin" not in done.stderr


def test_a_plugin_that_ends_the_program_ends_no_command(installed):
    environment = installed("sun_plugin", "import sys\nsys.exit(3)\n")
    done = python("-m", "l2rkit", "doctor", env=environment)
    assert "-- sun_plugin: sun_plugin: skipped, SystemExit: 3" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    code = "from l2rkit.registry import RESTORERS; print(RESTORERS.find('Resample').__name__)"
    done = python("-c", code, env=environment)
    assert done.returncode == 0 and done.stdout.strip() == "Resample"


def test_a_clash_of_names_says_what_was_registered_and_what_was_not(installed):
    twice = PART.replace("Dusted", "Resample")
    installed("moon_plugin", PART.replace("Dusted", "Mooned") + twice)
    environment = installed("dust_plugin", PART)
    code = (
        "from l2rkit.registry import RESTORERS\n"
        "print(RESTORERS.find('Resample').__module__, RESTORERS.find('Mooned').__name__)\n"
        "from l2rkit.plugins import STATES\n"
        "print(*sorted((p.name, *p.parts, bool(p.fault)) for p in STATES))\n"
    )
    done = python("-c", code, env=environment)
    assert done.returncode == 0, done.stderr
    ours, states = done.stdout.strip().splitlines()
    assert ours == "l2rkit.restore.resample Mooned", "what was there first stays"
    assert states == (
        "('dust_plugin', 'RESTORERS.Dusted', False) ('moon_plugin', 'RESTORERS.Mooned', True)"
    )
    assert "Resample is already registered" in done.stderr
    assert "registered before that: RESTORERS.Mooned" in done.stderr


def test_a_name_of_ours_is_ours_whichever_registry_is_asked_first(installed):
    """Before, importing our part ended in a traceback, if another registry was asked first."""
    code = PART.replace("RESTORERS", "LOSSES").replace("Dusted", "Photometric")
    environment = installed("moon_plugin", code)
    done = python(
        "-c",
        "from l2rkit.registry import DEGRADATIONS, LOSSES\n"
        "DEGRADATIONS.find('Jpeg')\n"
        "from l2rkit.losses import Photometric\n"
        "print(LOSSES.find('Photometric').__module__)\n",
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "l2rkit.losses.photometric"
    assert "plugin 'moon_plugin' (moon_plugin) was skipped: KeyError" in done.stderr


def test_a_config_reaches_a_part_by_its_class_and_by_custom_imports(tmp_path, monkeypatch):
    (tmp_path / "moon_parts.py").write_text(PART.replace("Dusted", "Mooned"))
    monkeypatch.syspath_prepend(tmp_path)
    by_class = tmp_path / "by_class.py"
    by_class.write_text(
        "from moon_parts import Mooned\nmodel = dict(restore=dict(type=Mooned, scale=2))\n"
    )
    by_name = tmp_path / "by_name.py"
    by_name.write_text(
        "custom_imports = dict(imports=['moon_parts'])\n"
        "model = dict(restore=dict(type='Mooned', scale=2))\n"
    )
    parts = [RESTORERS.build(load_config(path).model.restore) for path in (by_class, by_name)]
    assert [type(part).__name__ for part in parts] == ["Mooned", "Mooned"]
    assert type(parts[0]) is type(parts[1]) and parts[0].scale == 2


def test_a_config_with_a_failing_plugin_is_a_one_line_error(tmp_path, monkeypatch):
    (tmp_path / "sun_parts.py").write_text("import a_module_that_is_nowhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = tmp_path / "broken.py"
    for text, expected in (
        ("custom_imports = dict(imports=['sun_parts'])", "custom_imports: sun_parts does not"),
        ("from sun_parts import Sunned\npart = dict(type=Sunned)", "broken.py does not load"),
    ):
        config.write_text(text + "\n")
        with pytest.raises(ConfigError, match=expected) as caught:
            load_config(config)
        assert "a_module_that_is_nowhere" in str(caught.value) and "\n" not in str(caught.value)
