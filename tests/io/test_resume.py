"""The right checkpoint is resumed, and a complete one exists at any moment."""

import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from l2rkit.errors import WeightsError
from l2rkit.io.atomic import AtomicBackend
from l2rkit.io.checkpoints import checkpoint_to_resume, checkpoints_of, torn
from l2rkit.io.files import is_full


def checkpoint(folder: Path, number: int, seed: int = 0, at: float | None = None) -> Path:
    """A checkpoint of a run, written `at` seconds."""
    path = folder / f"iter_{number}.pth"
    meta = dict(iter=number, seed=seed)
    torch.save(dict(meta=meta, state_dict=dict(a=torch.full((999,), float(number)))), path)
    if at is not None:
        os.utime(path, (at, at))
    return path


def name_last(folder: Path, name: str, at: float) -> None:
    (folder / "last_checkpoint").write_text(name)
    os.utime(folder / "last_checkpoint", (at, at))


def test_the_latest_is_resumed(tmp_path):
    assert checkpoint_to_resume(tmp_path, print) is None
    for number in (9, 10, 11):
        checkpoint(tmp_path, number, seed=5, at=number)
    name_last(tmp_path, str(tmp_path / "iter_11.pth"), at=11.5)
    said = []
    path, meta = checkpoint_to_resume(tmp_path, said.append)
    assert path.name == "iter_11.pth" and meta == dict(iter=11, seed=5)
    assert said == ["resuming from iter_11.pth"]


def names(folder: Path) -> list[str]:
    return [path.name for path in checkpoints_of(folder)]


def test_a_kill_between_the_file_and_its_name_costs_nothing(tmp_path):
    checkpoint(tmp_path, 2, at=2)
    checkpoint(tmp_path, 4, at=4)
    name_last(tmp_path, str(tmp_path / "iter_2.pth"), at=2.5)
    assert names(tmp_path) == ["iter_4.pth", "iter_2.pth"]
    name_last(tmp_path, "", at=4.5)  # killed while it was written
    assert names(tmp_path) == ["iter_4.pth", "iter_2.pth"]
    (tmp_path / "last_checkpoint").unlink()
    assert names(tmp_path) == ["iter_4.pth", "iter_2.pth"]


def test_what_an_earlier_run_left_is_not_resumed(tmp_path):
    checkpoint(tmp_path, 900, at=1)
    checkpoint(tmp_path, 4, at=4)
    name_last(tmp_path, str(tmp_path / "iter_4.pth"), at=4.5)
    assert names(tmp_path) == ["iter_4.pth"]
    name_last(tmp_path, "moved/from/elsewhere/iter_4.pth", at=4.5)
    assert names(tmp_path) == ["iter_4.pth"]


def test_checkpoints_kept_elsewhere_are_found(tmp_path):
    (tmp_path / "run").mkdir()
    elsewhere = checkpoint(tmp_path, 7)
    name_last(tmp_path / "run", str(elsewhere), at=8)
    assert checkpoint_to_resume(tmp_path / "run", print)[0] == elsewhere


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1500])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    """One bit of the weights is another, as a failing disk has it: torch alone takes no notice."""
    content = bytearray(path.read_bytes())
    content[content.find(np.full(99, 4, np.float32).tobytes()) + 50] ^= 1
    path.write_bytes(content)
    torch.load(path, weights_only=True)


@pytest.mark.parametrize("damage", [cut, emptied, flipped])
def test_one_that_is_torn_is_passed_over_in_one_line(tmp_path, damage):
    said = []
    for number in (2, 4):
        path = checkpoint(tmp_path, number, at=number)
        assert torn(path) == ""
    name_last(tmp_path, str(path), at=4.5)
    damage(path)
    found, _ = checkpoint_to_resume(tmp_path, said.append)
    assert found.name == "iter_2.pth"
    (line,) = said
    assert line.startswith("iter_4.pth is incomplete (") and line.endswith(
        "resuming from iter_2.pth"
    )
    assert "\n" not in line
    cut(tmp_path / "iter_2.pth")
    with pytest.raises(
        WeightsError, match=r"no checkpoint in .* is complete: iter_4\.pth .*iter_2"
    ):
        checkpoint_to_resume(tmp_path, pytest.fail)


def test_an_archive_that_is_no_run_is_refused(tmp_path):
    torch.save(dict(a=torch.ones(1)), tmp_path / "iter_3.pth")
    with pytest.raises(WeightsError, match=r"iter_3\.pth is not the checkpoint of a run"):
        checkpoint_to_resume(tmp_path, pytest.fail)
    with zipfile.ZipFile(tmp_path / "iter_3.pth", "w") as archive:
        archive.writestr("data.pkl", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(WeightsError, match=r"is complete: iter_3\.pth is incomplete \("):
        checkpoint_to_resume(tmp_path, pytest.fail)


def test_a_file_for_which_there_is_no_room_leaves_the_checkpoints_whole(tmp_path):
    """The limit is the system's own, for a process of its own."""
    was = checkpoint(tmp_path, 2)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            AtomicBackend().put(bytes(9999), tmp_path / "iter_4.pth")
        except OSError as error:
            os._exit(0 if is_full(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.listdir(tmp_path) == [was.name]
    assert checkpoint_to_resume(tmp_path, print)[0] == was
