"""The way to a first face that is timed is the one that the README gives."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_is_timed_is_what_the_readme_says() -> None:
    script = (ROOT / "tools" / "benchmarks" / "first_face.sh").read_text("utf-8")
    timed = [
        line for line in re.findall(r"^timed (.+)$", script, re.MULTILINE) if "git" not in line
    ]
    fences = re.findall(r"^```\n(.+?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    said = [line for fence in fences for line in fence.splitlines()]
    assert timed[:2] == ["make install", ".venv/bin/l2rkit reconstruct my_photo.jpg"]
    assert [line for line in said if line in timed] == timed[:2]
