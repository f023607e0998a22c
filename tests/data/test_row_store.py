"""A store of rows takes damaged files, read-only folders and full disks in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from l2rkit.data.heads.row_store import ROWS, RowStore
from l2rkit.errors import DataError

ROOT = Path(__file__).parents[2]
LAYOUT = dict(a=((1000,), np.float64))
START = """
import sys
from pathlib import Path
import numpy as np
from l2rkit.data.heads.row_store import RowStore
from l2rkit.errors import DataError
store = RowStore(Path(sys.argv[1]), dict(a=((1000,), np.float64)))
"""
mounts = pytest.mark.skipif(sys.platform != "linux" or os.geteuid(), reason="root mounts it")


@pytest.fixture
def store(tmp_path: Path) -> RowStore:
    made = RowStore(tmp_path / "rows", LAYOUT)
    made.write(3, dict(a=np.arange(1000.0)))
    return made


@pytest.mark.parametrize("name", ["a.npy", "made.npy"])
@pytest.mark.parametrize("size", [None, 0, 50, 5000])
def test_damaged_files_are_named(store: RowStore, name: str, size: int | None) -> None:
    path = store.root / "000000" / name
    if size is None:
        path.unlink()
    elif size < path.stat().st_size:
        os.truncate(path, size)
    else:
        pytest.skip("the file is as long as that")
    with pytest.raises(DataError, match=f"{name} is missing or damaged: delete"):
        store.row(3, "a")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_more_chunks_are_used_than_files_may_be_open(tmp_path: Path) -> None:
    """Before, training on ordinary machines ended with `Too many open files`."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 50
    store, most = RowStore(tmp_path / "rows", dict(a=((2,), np.float32))), opened + 30
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        for chunk in range(most):
            sample = dict(a=np.full(2, chunk, np.float32))
            row = store.get(chunk * ROWS, "a", lambda number, s=sample: [(number, s)])
            assert row["a"].tolist() == [chunk, chunk]
        assert store.made(most * ROWS) == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_rows_of_a_deleted_folder_are_made_again_in_the_same_process(store: RowStore) -> None:
    assert store.row(3, "a")["a"][9] == 9
    shutil.rmtree(store.root / "000000")
    row = store.get(3, "a", lambda number: [(number, dict(a=np.full(1000, 7.0)))])
    assert (row["a"] == 7).all() and store.row(4, "a") is None


def in_mount(shell: str, code: str, folder: Path) -> list[str]:
    """The lines that `code` prints where `shell` has mounted something."""
    command = f"{shell} && PYTHONPATH={ROOT} {sys.executable} -c '{START}{code}' {folder}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", command], text=True, capture_output=True)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.splitlines()


@mounts
def test_a_full_disk_is_an_error_and_does_not_kill_the_process(tmp_path: Path) -> None:
    """Before, the system ended it by SIGBUS, without a word."""
    code = """
done = 0
try:
    for row in range(32):
        store.write(row, dict(a=np.ones(1000)))
        done += 1
except DataError as error:
    print(error)
print(done, store.made(32))
"""
    lines = in_mount(f"mount -t tmpfs -o size=100k tmpfs {tmp_path}", code, tmp_path)
    assert "cannot be written: No space left on device" in lines[0]
    done, made = map(int, lines[1].split())
    assert 0 < done == made < 32


@mounts
def test_rows_of_a_read_only_folder_are_read(store: RowStore) -> None:
    """Before, they were opened for writing, even to be read."""
    shell = f"mount --bind {store.root} {store.root} && mount -o remount,ro,bind {store.root}"
    code = """
print(store.row(3, "a")["a"].sum(), store.row(4, "a"))
try:
    store.write(4, dict(a=np.ones(1000)))
except DataError as error:
    print(error)
"""
    first, second = in_mount(shell, code.replace('"', r'"'), store.root)
    assert first == "499500.0 None" and "cannot be written: Read-only file system" in second
