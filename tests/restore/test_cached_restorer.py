"""Photos are restored once; changes of restorer or photo miss the cache."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from l2rkit.restore.cached import CachedRestorer


class Counting(nn.Module):
    """Doubles the size, adds its weight, and counts the photos that it was given."""

    def __init__(self, weight: float = 0.25) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.photos = 0

    def forward(self, photo: Tensor) -> Tensor:
        self.photos += len(photo)
        return photo.repeat_interleave(2, 2).repeat_interleave(2, 3) + self.weight


@pytest.fixture
def photo() -> Tensor:
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_each_photo_is_restored_once_in_whatever_batch_it_comes(
    photo: Tensor, tmp_path: Path
) -> None:
    part = Counting()
    made = CachedRestorer(part, "", tmp_path)(photo)
    torch.testing.assert_close(made, photo + 0.25)
    another = Counting()
    copied = deepcopy(CachedRestorer(another, "", tmp_path))  # as averages of weights are made
    another = copied.restore
    again = copied(torch.cat([photo[2:], photo[:1] / 2]))
    assert (part.photos, another.photos) == (4, 1)
    assert torch.equal(again[:2], made[2:])
    torch.testing.assert_close(again[2:], photo[:1] / 2 + 0.25)
    assert len(list(tmp_path.iterdir())) == 5


@torch.no_grad()
def test_a_file_that_is_cut_short_is_made_anew(photo: Tensor, tmp_path: Path) -> None:
    made = CachedRestorer(Counting(), "", tmp_path)(photo)
    sorted(tmp_path.iterdir())[1].write_bytes(b"")
    again = Counting()
    assert torch.equal(CachedRestorer(again, "", tmp_path)(photo), made) and again.photos == 1
    assert all(path.stat().st_size == 4 * 3 * 8 * 8 for path in tmp_path.iterdir())


@torch.no_grad()
@pytest.mark.parametrize("what", ["weights", "description", "precision"])
def test_another_restorer_is_not_taken_for_it(what: str, photo: Tensor, tmp_path: Path) -> None:
    CachedRestorer(Counting(), "", tmp_path)(photo)
    other = Counting(0.5 if what == "weights" else 0.25)
    kept = CachedRestorer(other, "nearest" if what == "description" else "", tmp_path)
    with torch.autocast("cpu", torch.bfloat16, enabled=what == "precision"):
        made = kept(photo)
    assert other.photos == 4
    torch.testing.assert_close(made, photo + other.weight)
