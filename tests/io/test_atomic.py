"""The file backend writes files completely or not at all."""

import errno
import os
from pathlib import Path

import pytest

from l2rkit.io.atomic import AtomicBackend
from l2rkit.io.files import is_full, write_durable


def test_what_fails_to_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_durable(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        AtomicBackend().put(b"new", path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_the_name_comes_after_the_content_is_on_disk(tmp_path, monkeypatch):
    order, path = [], tmp_path / "a"
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: order.append("sync") or sync(file))
    monkeypatch.setattr(Path, "replace", lambda *two: order.append("name") or replace(*two))
    write_durable(path, b"new")
    assert order == ["sync", "name", "sync"] and path.read_bytes() == b"new"


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_old_goes_only_once_the_new_is_there(tmp_path, fails):
    files, old, new = AtomicBackend(), tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    try:
        with files.removing_last():
            files.remove(old)
            assert old.exists()
            if fails:
                raise OSError
            files.put(b"new", new)
    except OSError:
        pass
    assert old.exists() == fails and new.exists() != fails
    files.remove(old if fails else new)
    assert not any(tmp_path.iterdir()), "outside of it, at once"


def test_what_goes_in_an_inner_context_waits_for_the_outer_one(tmp_path):
    """MMEngine saves the latest checkpoint once more while it saves the best."""
    files, old = AtomicBackend(), tmp_path / "old"
    old.write_bytes(b"old")
    with files.removing_last():
        with files.removing_last():
            files.remove(old)
        assert old.exists()
    assert not old.exists()


@pytest.mark.parametrize("code, full", [(errno.ENOSPC, True), (errno.EFBIG, True), (1, False)])
def test_what_is_full(code, full):
    assert is_full(OSError(code, "")) == full
