"""Files are written atomically, with other files and writers in their folder."""

import gzip
import signal
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from l2rkit.data import openfaces
from l2rkit.errors import DataError, UserError, WeightsError
from l2rkit.io import reading
from l2rkit.io.files import (
    beside,
    cached_array,
    file_digest,
    made_of,
    marked,
    write_atomic,
    write_durable,
)
from l2rkit.io.reading import read_arrays
from l2rkit.io.weights import read_weights

WRITERS = [write_atomic, write_durable]


@pytest.mark.parametrize("write", WRITERS)
def test_links_beside_the_place_are_not_followed(write, tmp_path: Path) -> None:
    """Before, the new content went through `a.npz.part` to what that is a link to."""
    precious, place = tmp_path / "precious", tmp_path / "a.npz"
    precious.write_bytes(b"precious")
    (tmp_path / "a.npz.part").symlink_to(precious)
    write(place, b"new")
    assert precious.read_bytes() == b"precious"
    assert place.read_bytes() == b"new" and not place.is_symlink()


@pytest.mark.parametrize("write", WRITERS)
def test_many_writers_of_one_place_leave_one_whole_file(write, tmp_path: Path) -> None:
    """Before, one writer moved away what another was still writing."""
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write(tmp_path / "a", content), contents * 5))
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_interrupted_file_leaves_the_one_before(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), beside(place) as file:
        file.write(b"half of i")
        raise KeyboardInterrupt
    assert place.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    empty = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + struct.pack(">I", zlib.crc32(body)) + empty


def test_a_cache_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Before, its unfinished file stayed under the process's number."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # as a disk that is full
    try:
        with pytest.raises(OSError, match="File too large"):
            cached_array(tmp_path / "a" / "x", lambda: np.zeros(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "b"]
    assert cached_array(tmp_path / "a" / "x", lambda: np.arange(3)).tolist() == [0, 1, 2]
    assert cached_array(tmp_path / "a" / "x", lambda: 1 / 0).tolist() == [0, 1, 2]


def test_large_pictures_are_known_as_ours(tmp_path: Path) -> None:
    """Pillow refuses to open 179 megapixels; a contact sheet of 550 photos has as many."""
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(marked(png_header(20_000, 20_000), "of these"))
    assert made_of(sheet) == "of these"
    sheet.write_bytes(png_header(20_000, 20_000))
    assert made_of(sheet) is None


def test_what_is_no_file_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 3_000_000)
    assert file_digest(tmp_path / "a").hex().startswith("2a152c89")
    for path in (tmp_path, tmp_path / "none", Path("/dev/zero")):
        assert file_digest(path) is None


def test_packed_arrays_and_tables_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is packed is a thousandth of what it unpacks to."""
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(200_000))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(1_600_000)))
    assert read_arrays(tmp_path / "a.npz")["a"].shape == (200_000,)
    for module in (reading, openfaces):
        monkeypatch.setattr(module, "MOST_BYTES", 1_500_000)
    with pytest.raises(DataError, match="unpacks to 1600128 bytes; the limit is 1500000"):
        read_arrays(tmp_path / "a.npz")
    with pytest.raises(DataError, match="has more than 1500000 bytes"):
        openfaces.read_rows(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("old", [True, False])
def test_a_class_with_a_name_of_a_million_signs_is_refused_at_once(old: bool, tmp_path) -> None:
    """Torch says so in a message in which it then looks for words, for minutes."""
    program = b"\x80\x02c%b\nb\n." % (b"a" * 10**6)
    with zipfile.ZipFile(path := tmp_path / "a.pth", "w") as archive:
        for name, content in (("data.pkl", program), ("version", b"3\n"), ("data/0", bytes(8))):
            archive.writestr(f"archive/{name}", content)
    if old:
        path.write_bytes(program)
    with pytest.raises(WeightsError, match="a GLOBAL of 1000002 characters"):
        read_weights(path)


def test_a_message_is_short_whatever_it_quotes() -> None:
    said = str(UserError(f"{'a' * 10**6} is no name"))
    assert len(said) < 1600 and said.startswith("aaa") and said.endswith("is no name")


class Damaged(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, number: int) -> None:
        raise DataError("rows/made.npy is damaged: delete rows")


def test_an_error_in_a_process_of_the_loader_is_its_own_line() -> None:
    """Before, the traceback that torch quotes was made into one line of 900 signs."""
    with pytest.raises(DataError) as caught:
        next(iter(DataLoader(Damaged(), num_workers=1)))
    assert str(caught.value) == "rows/made.npy is damaged: delete rows"


def test_an_empty_file_of_a_cache_is_made_again(tmp_path: Path) -> None:
    """Before, it was an array of no numbers."""
    (tmp_path / "a").touch()
    for _ in range(2):
        assert cached_array(tmp_path / "a", lambda: np.ones(3)).tolist() == [1, 1, 1]
