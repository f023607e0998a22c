"""SHA-256 sums of a converter's output, for `sha256sum -c SHA256SUMS`."""

from hashlib import sha256
from pathlib import Path

from l2rkit.io.files import write_atomic

SUMS = "SHA256SUMS"


def write_checksums(folder: Path) -> int:
    """Writes FOLDER/SHA256SUMS of all files below a folder but hidden ones; their number."""
    paths = sorted(path for path in folder.rglob("[!.]*") if path.is_file())
    paths = [path for path in paths if path.name != SUMS and path.suffix != ".part"]
    lines = []
    for path in paths:
        with open(path, "rb") as file:
            digest = sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        lines.append(f"{digest.hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    write_atomic(folder / SUMS, "".join(lines).encode())
    return len(lines)
