"""Weights in 8 bits have known rounding errors."""

import pytest
import torch

from l2rkit.io.quantization import dequantize, quantize
from l2rkit.io.weights import read_weights, write_weights


def test_numbers_that_fit_come_back_exactly():
    row = torch.tensor([[127.0, -127.0, 1.0, 0.0], [0.5, -0.25, 0.0, 63.5]])
    small = quantize({"w": row})
    assert small["w"].dtype == torch.int8 and small["w"].tolist()[0] == [127, -127, 1, 0]
    assert torch.equal(small["w:scale"], torch.tensor([1.0, 0.5]))
    assert torch.equal(dequantize(small)["w"][0], row[0])
    assert dequantize(small)["w"][1].tolist() == [0.5, 0.0, 0.0, 63.5]  # half a step: to even


@pytest.mark.parametrize("shape", [(5, 7), (4, 3, 3, 3), (1, 8, 16), (3, 2, 1)])
def test_an_error_is_at_most_half_a_step_of_its_row(shape):
    torch.manual_seed(0)
    value = torch.randn(shape) * torch.logspace(-3, 3, shape[0]).view(-1, *[1] * (len(shape) - 1))
    error = (dequantize(quantize({"w": value}))["w"] - value).abs().flatten(1)
    step = value.abs().flatten(1).amax(1, keepdim=True) / 127
    assert (error <= step * 0.50001).all() and error.max() > 0


def test_rows_of_zeros_and_empty_tensors_and_counts_stay_what_they_are():
    state = {"zero": torch.zeros(2, 3), "none": torch.zeros(0, 3), "count": torch.arange(3)}
    back = dequantize(quantize(state))
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key].to(state[key].dtype), state[key]) for key in state)


def test_vectors_keep_sixteen_bits():
    value = torch.linspace(-1, 1, 9)
    assert torch.equal(dequantize(quantize({"b": value}))["b"], value.half())


def test_a_file_of_8_bits_is_read_as_floats_and_takes_a_quarter(tmp_path):
    torch.manual_seed(0)
    state = {"conv.weight": torch.randn(64, 64, 3, 3), "conv.bias": torch.randn(64)}
    write_weights(state, tmp_path / "full.safetensors")
    write_weights(state, tmp_path / "small.safetensors", bits=8)
    got = read_weights(tmp_path / "small.safetensors")
    assert got.keys() == state.keys() and got["conv.weight"].dtype == torch.float32
    torch.testing.assert_close(got["conv.weight"], state["conv.weight"], atol=0.02, rtol=0)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "small")]
    assert sizes[1] < 0.26 * sizes[0]


@pytest.mark.parametrize("bits", [8, 16])
def test_what_is_too_large_for_sixteen_bits_keeps_thirty_two(tmp_path, bits):
    state = {"large": torch.tensor([1e5, 1.0]), "small": torch.tensor([1.0, 2.0])}
    write_weights(state, tmp_path / "w.safetensors", bits)
    back = read_weights(tmp_path / "w.safetensors")
    assert torch.equal(back["large"], state["large"]) and torch.equal(back["small"], state["small"])
    assert back["small"].dtype == torch.float16
