"""The generator that `tools/benchmarks/prior.py` times equals the original one."""

import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from l2rkit.errors import UserError
from l2rkit.priors import StyleGAN2, layers
from tools.benchmarks import prior as benchmark_prior
from tools.benchmarks.prior import CONFIG, WAYS, compare, computed, main, pairs


@pytest.fixture
def prior() -> StyleGAN2:
    torch.manual_seed(0)
    made = StyleGAN2(size=32, width=1 / 128, latent=8, mapping=1, frozen=False)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if name.endswith(("bias", "strength")):
                weight.add_(torch.randn_like(weight) / 3)
    return made


@pytest.mark.parametrize("way", WAYS)
def test_each_way_gives_our_images_and_gradients(prior: StyleGAN2, way: str, monkeypatch) -> None:
    codes = torch.randn(2, prior.layers, 8)
    ours = layers.modulated
    with computed(way):
        assert layers.modulated is not ours, "or it would compare ours with ours"
    assert layers.modulated is ours
    monkeypatch.setattr(benchmark_prior, "TOLERANCE", 1e-4)
    compare(prior, prior, way, codes)


def test_a_way_that_gives_something_else_is_not_timed(prior: StyleGAN2, monkeypatch) -> None:
    wrong = {"l2rkit.priors.layers.modulated": lambda *a, **k: 1.01 * layers_modulated(*a, **k)}
    layers_modulated = layers.modulated
    monkeypatch.setitem(WAYS, "wrong", wrong)
    with pytest.raises(UserError, match="StyleGAN2 wrong gives something else, by"):
        compare(prior, prior, "wrong", torch.randn(2, prior.layers, 8))


def test_pairs_take_turns_and_know_who_is_slower() -> None:
    order = []
    seconds = pairs(
        lambda: order.append("ours"),
        lambda: (order.append("theirs"), time.sleep(0.02)),
        next(iter(WAYS)),
        3,
    )
    assert order == ["ours", "theirs", "theirs", "ours"] * 2
    assert seconds.shape == (3, 2)
    assert (seconds[:, 1] >= 0.02).all() and (seconds[:, 0] < seconds[:, 1]).all()


def test_it_prints_a_row_for_each_task_and_way(tmp_path: Path) -> None:
    path = tmp_path / "small.py"
    path.write_text(
        "from l2rkit.priors import AdversarialPrior, StyleGAN2\n"
        "model = dict(type=AdversarialPrior, generator=dict(type=StyleGAN2, size=32, width=1/64,\n"
        "    latent=8, mapping=1, frozen=False), discriminator=dict())\n"
    )
    threads = str(torch.get_num_threads())
    words = [str(path), "--batch", "1", "--repeats", "1", "--threads", threads]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    rows = [line for line in result.output.splitlines() if line.startswith(("| train", "| sampl"))]
    assert len(rows) == 3 * len(WAYS) and all(" to " in row for row in rows)


def test_a_config_without_a_stylegan_is_a_one_line_error() -> None:
    config = CONFIG.parents[1] / "unsup3d" / "unsup3d_heads.py"
    threads = str(torch.get_num_threads())
    result = CliRunner().invoke(main, [str(config), "--threads", threads])
    assert result.exit_code == 2 and "trains no StyleGAN2" in result.output
    assert len(result.output.strip().splitlines()) == 1
