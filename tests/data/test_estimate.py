"""A line with time and disk before many heads are made, and none before few."""

import pytest

from l2rkit.data.heads import dataset
from l2rkit.data.heads.dataset import SyntheticHeads


@pytest.mark.parametrize(("size", "said"), [(40_000, True), (1000, False)])
def test_what_takes_long_is_said_before_it_begins(
    tmp_path: object, monkeypatch: object, capsys: object, size: int, said: bool
) -> None:
    made = []
    monkeypatch.setattr(dataset, "make_chunks", lambda *words: made.append(capsys.readouterr().err))
    SyntheticHeads(size=size, root=str(tmp_path))
    (line,) = made
    assert bool(line) is said
    if said:  # 313 chunks of 128 heads, 11 bytes for each of 64 x 64 px
        assert "making 40,064 heads of 64 px" in line and "1.8 GB" in line and "15 min" in line
