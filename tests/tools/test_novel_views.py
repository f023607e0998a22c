"""`tools/analysis/novel_views.py`: the interval of the difference of two methods' distances."""

import torch
from click.testing import CliRunner

from l2rkit.metrics.generator import frechet
from tools.analysis import novel_views

PEOPLE, ROWS, DEPTH = 12, 6, 4


def looks(shift: float, seed: int = 0) -> list[torch.Tensor]:
    """Photos, and renderings whose descriptions are moved by `shift`."""
    draws = torch.Generator().manual_seed(seed)
    photos = torch.randn(PEOPLE * ROWS, DEPTH, generator=draws)
    return [photos, photos + shift]


def test_equal_methods_do_not_differ() -> None:
    assert novel_views.interval(looks(0.3), looks(0.3), PEOPLE) == (0.0, 0.0)


def test_a_shift_of_all_renderings_adds_its_square_in_every_draw() -> None:
    assert abs(frechet(*looks(0.5)) - DEPTH * 0.25) < 1e-6
    low, high = novel_views.interval(looks(0.5), looks(0.0), PEOPLE)
    assert abs(low - DEPTH * 0.25) < 1e-6 and abs(high - DEPTH * 0.25) < 1e-6


def test_people_are_drawn_whole_and_alike_for_both_methods() -> None:
    """One person's renderings are off: without that person the methods are equal."""
    odd = looks(0.0)
    odd[1] = odd[1].clone()
    odd[1][:ROWS] += 3
    low, high = novel_views.interval(odd, looks(0.0), PEOPLE)
    assert abs(low) < 1e-6 < high  # some draws are without that person


def test_unknown_weights_are_one_line() -> None:
    words = ["configs/l2r/l2r_heads.py", "no.pth", "configs/l2r/l2r_heads.py", "-"]
    result = CliRunner().invoke(novel_views.main, words)
    assert result.exit_code == 2 and "no.pth" in result.output and "Traceback" not in result.output
