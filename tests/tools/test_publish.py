"""tools/publish.py on checkpoints with known weights."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from l2rkit.io.weights import read_weights
from tools.publish import main


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    names = (
        "decompose.depth.weight",
        "refine.albedo.prior.weight",
        "refine.albedo.last.weight",
        "restore.network.weight",
        "losses.perceptual.weight",
        "adversary.discriminator.weight",
    )
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(4, 8, generator=generator) for name in names}


def published(folder: Path, state: dict, *words: str) -> dict[str, torch.Tensor]:
    torch.save(dict(state_dict=state, meta=dict(iter=1)), folder / "run.pth")
    out = folder / "out.safetensors"
    result = CliRunner().invoke(main, [str(folder / "run.pth"), str(out), *words])
    assert result.exit_code == 0, result.output
    assert result.output == f"{out}: {out.stat().st_size / 1e6:.2f} MB\n"
    return read_weights(out)


def test_what_is_no_checkpoint_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "junk.pth").write_text("junk")
    words = [str(tmp_path / "junk.pth"), str(tmp_path / "out.safetensors")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and "junk.pth" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["junk.pth"]


def test_what_predicts_is_kept_and_what_only_trains_is_not(tmp_path: Path, state: dict) -> None:
    found = published(tmp_path, state)
    kept = {n for n in state if n.startswith(("decompose.", "refine."))}
    assert found.keys() == kept
    for name in kept:  # each row in 255 steps
        step = state[name].abs().amax(1, keepdim=True) / 127
        assert ((found[name] - state[name]).abs() <= 0.51 * step).all(), name
        assert not torch.equal(found[name], state[name])


def test_32_bits_are_the_weights_and_16_their_halves(tmp_path: Path, state: dict) -> None:
    name = "decompose.depth.weight"
    assert torch.equal(published(tmp_path, state, "--bits", "32")[name], state[name])
    half = published(tmp_path, state, "--bits", "16")[name]
    assert torch.equal(half.float(), state[name].half().float())


def test_a_frozen_prior_can_stay_out(tmp_path: Path, state: dict) -> None:
    found = published(tmp_path, state, "--without", "refine.albedo.prior.")
    assert found.keys() == {"decompose.depth.weight", "refine.albedo.last.weight"}


@pytest.mark.parametrize("part", ["generator_ema", "restore"])
def test_of_a_part_that_was_trained_alone_its_own_weights_are_left(tmp_path, part: str) -> None:
    state = {f"{part}.start": torch.ones(2, 3), "discriminator.last": torch.zeros(3, 2)}
    if part == "restore":
        state = {
            "restore.network.first.weight": torch.ones(2, 3),
            "losses.features.x": torch.ones(2),
        }
    (name,) = published(tmp_path, state, "--bits", "32")
    assert name == ("start" if part == "generator_ema" else "network.first.weight")
