import pytest
import torch

from l2rkit.ops import precision
from l2rkit.ops.precision import cpu_computes_in, in_precision

PHOTO = torch.rand(1, 3, 8, 8)


def kind_within(name: str | None) -> torch.dtype:
    """Of what a layer gives for a photo in float32."""
    with in_precision(name, PHOTO):
        return torch.nn.Conv2d(3, 2, 3)(PHOTO).dtype


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_layers_are_halved_only_where_the_processor_computes_so(name, monkeypatch) -> None:
    kind = getattr(torch, name)
    monkeypatch.setattr(precision, "cpu_computes_in", lambda asked: asked == kind)
    assert kind_within(name) == kind
    monkeypatch.setattr(precision, "cpu_computes_in", lambda asked: False)
    assert kind_within(name) == torch.float32


def test_without_a_precision_nothing_is_asked_or_halved(monkeypatch) -> None:
    monkeypatch.delattr(precision, "cpu_computes_in")
    assert kind_within(None) == torch.float32


@pytest.mark.parametrize("answer", [True, False, None])
def test_the_processor_is_asked_through_onednn(answer, monkeypatch) -> None:
    class Operators:
        """Stands for torch's: with a word on bfloat16 or, for None, built without oneDNN."""

    if answer is not None:
        Operators._is_mkldnn_bf16_supported = staticmethod(lambda: answer)
    monkeypatch.setattr(torch.ops, "mkldnn", Operators)
    cpu_computes_in.cache_clear()
    try:
        assert cpu_computes_in(torch.bfloat16) is bool(answer)
        assert not cpu_computes_in(torch.float16)
    finally:
        cpu_computes_in.cache_clear()


def test_without_a_precision_the_surrounding_one_stays() -> None:
    layer, x = torch.nn.Linear(4, 4), torch.rand(1, 4)
    with torch.autocast("cpu", torch.bfloat16), precision.in_precision(None, x):
        assert layer(x).dtype == torch.bfloat16
