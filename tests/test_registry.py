"""Building of parts by the registries, and errors."""

import numpy as np
import pytest
from mmengine.config import ConfigDict
from torch import nn

from l2rkit.errors import PartError, near
from l2rkit.registry import DECOMPOSERS, LOSSES, RENAMED, RENDERERS, check_arguments
from l2rkit.render import GridRenderer


@pytest.mark.parametrize("kind", [GridRenderer, "GridRenderer", "l2rkit.render.GridRenderer"])
def test_a_part_is_named_by_class_short_name_or_path(kind):
    assert isinstance(RENDERERS.build(dict(type=kind)), GridRenderer)
    assert isinstance(RENDERERS.build(ConfigDict(type=kind)), GridRenderer)


def test_a_built_part_passes_through_and_none_stays_none():
    part = nn.Identity()
    assert RENDERERS.build(part) is part
    assert RENDERERS.build(None) is None


def test_building_leaves_the_description_as_it_was():
    described = dict(type="GridRenderer")
    RENDERERS.build(described)
    assert described == dict(type="GridRenderer")


@pytest.mark.parametrize(
    "part, text",
    [
        (dict(type="GridRendrer"), "no renderer is called 'GridRendrer': did you mean 'GridR"),
        (dict(type="xyzzy"), "no renderer is called 'xyzzy'; known: .*GridRenderer"),
        (dict(typ="GridRenderer"), "a part for renderers needs a 'type'"),
    ],
)
def test_an_unknown_part_is_named_with_its_neighbour(part, text):
    with pytest.raises(PartError, match=text):
        RENDERERS.build(part)


def test_a_wrong_argument_is_named_before_anything_is_made():
    with pytest.raises(PartError, match="Photometric takes no 'wieght': did you mean 'weight'"):
        LOSSES.build(dict(type="Photometric", wieght=2))
    with pytest.raises(PartError, match="Perceptual needs 'features', which is not given"):
        LOSSES.build(dict(type="Perceptual"))


def test_near():
    assert near("renderr", ["render", "losses"]) == ": did you mean 'render'?"
    assert near("q", ["render", "losses"]) == "; known: losses, render"
    assert near("q", []) == ""


def test_the_error_for_an_old_name_has_the_new_one():
    for old, new in RENAMED.items():
        with pytest.raises(PartError, match=f"^'{old}' is called '{new}' since 0.2.0$"):
            LOSSES.build(dict(type=old))


def test_a_fault_of_a_module_on_the_way_is_said(tmp_path, monkeypatch):
    (tmp_path / "broken_haze.py").write_text("import a_module_that_is_nowhere\n")
    (tmp_path / "nameless_haze.py").write_text("print(nothing)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PartError, match="was not imported: NameError: name 'nothing' is not"):
        LOSSES.find("nameless_haze.Haze")
    with pytest.raises(PartError, match=r"'broken_haze\.Haze' was not imported: .*that_is_nowhere"):
        LOSSES.find("broken_haze.Haze")


def test_a_type_that_is_neither_a_class_nor_a_name_is_one_line():
    with pytest.raises(PartError, match="'type' of losses is a class or its name, not 5"):
        LOSSES.build(dict(type=5))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(width="abc"), "Unsup3DDecomposer: width is a whole number, not 'abc'"),
        (dict(width=8.5), "Unsup3DDecomposer: width is a whole number, not 8.5"),
        (dict(width=True), "Unsup3DDecomposer: width is a whole number, not True"),
        (dict(max_rotation_deg="far"), "max_rotation_deg is a number, not 'far'"),
        (dict(confidence=3), "confidence is True or False, not 3"),
    ],
)
def test_values_of_wrong_types_are_named_before_anything_is_built(given, said):
    with pytest.raises(PartError, match=said):
        DECOMPOSERS.build(dict(type="Unsup3DDecomposer", image_size=32, **given))


def test_whole_numbers_are_numbers_and_what_is_annotated_otherwise_is_not_checked():
    class Part:
        def __init__(self, near: float | None = 0.5, wide: int | str = 3, many: list[int] = ()):
            self.given = near, wide, many

    check_arguments(Part, dict(near=1, wide="3", many="any"))
    check_arguments(Part, dict(near=None, wide=np.int64(4)))
    with pytest.raises(PartError, match=r"Part: wide is a whole number or a word, not 2\.5"):
        check_arguments(Part, dict(wide=2.5))
