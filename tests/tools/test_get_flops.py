"""The cost of a model against a count by hand."""

import torch
from click.testing import CliRunner
from torch import nn

from tools.analysis import get_flops


class Two(nn.Module):
    """A convolution and, in a dict of parts, another that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.others = nn.ModuleDict(
            dict(second=nn.Conv2d(4, 2, 1, bias=False).requires_grad_(False))
        )

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return self.others["second"](self.first(photo))


def test_weights_and_operations_are_those_counted_by_hand() -> None:
    found = get_flops.costs(Two(), 8)
    assert found["first"] == (108, 108, 2 * 108 * 64)
    assert found["others.second"] == (8, 0, 2 * 8 * 64)
    assert found["whole"] == (116, 108, 2 * 116 * 64)


def test_a_shipped_config_is_reported_part_by_part() -> None:
    done = CliRunner().invoke(get_flops.main, ["unsup3d_heads_32"])
    assert done.exit_code == 0, done.output
    named = [line.split()[0] for line in done.stdout.splitlines()[2:]]
    assert named == ["decompose", "whole"]
    assert float(done.stdout.split()[-1]) > 0
