"""Files that are there as a whole or not at all."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whose folder exists; a file that was there stays until then."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
