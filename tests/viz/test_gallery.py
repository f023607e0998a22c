"""The page of results: contents, no network access, and escaped names."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image

from l2rkit.io.files import is_ours
from l2rkit.structures import each_tensor
from l2rkit.testing import example_face
from l2rkit.viz import gallery as module
from l2rkit.viz.alone import levels
from l2rkit.viz.gallery import face_of, gallery, levels_of_16_bits, textured
from l2rkit.viz.region import face_level

ODD = "<script>alert(1)<|script>\" onerror='x' & ünï <!--FACES--> %41"


@pytest.fixture
def panels(tmp_path: Path) -> list[Path]:
    """Two faces of a run, one of them in a person's folder, the other with an odd name."""
    face = each_tensor(example_face(24), lambda tensor: tensor[:1])
    arrays = {
        "image": np.full((24, 24, 3), 0.5, np.float32),
        "albedo": face.albedo[0].permute(1, 2, 0).numpy(),
        "canonical_depth": face.depth[0, 0].numpy(),
        "view": face.view[0].numpy(),
        "light": face.light.packed()[0].numpy(),
    }
    found = [tmp_path / f"{ODD}.png", tmp_path / "ada" / "a.jpg.png"]
    found[1].parent.mkdir()
    for panel in found:
        np.savez(panel.with_suffix(".npz"), **arrays)
        panel.with_suffix(".glb").touch()
    found[1].with_suffix(".obj").touch()
    return found


class Seen(HTMLParser):
    """The tags of a page, with their attributes, and the text in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.tags[-1][0] if self.tags else "", []).append(data)

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_names_are_shown_and_not_obeyed(panels: list[Path], tmp_path: Path) -> None:
    page = Seen(gallery(panels, tmp_path))
    assert [text for text in page.text["h2"] if text.strip()] == [ODD, "ada/a.jpg"]
    assert len(page.all("script")) == 1 and len(page.all("article")) == 2
    allowed = {"alt", "src", "tabindex", "aria-label", "href"}
    for tag in ("img", "canvas", "a"):
        for attrs in page.all(tag):
            assert {key for key in attrs if not key.startswith("data-")} <= allowed


def test_it_asks_for_nothing_but_links_to_its_meshes(panels: list[Path], tmp_path: Path) -> None:
    text = gallery(panels, tmp_path)
    page = Seen(text)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv"))
    assert "default-src 'none'" in policy and "http" not in policy
    words = re.sub(r'(data:image/|data-depth=")[^"]*', "", text)
    assert not re.search(r"https?:|//[a-z]|fetch|import\(|XMLHttp|url\(|@import", words)
    assert all(a["src"].startswith("data:image/") for a in page.all("img"))
    links = [urlsplit(a["href"]) for a in page.all("a")]
    assert not any(link.scheme or link.netloc or link.query or link.fragment for link in links)
    files = {(tmp_path / unquote(link.path)).resolve() for link in links}
    expected = {panels[0].with_suffix(".glb"), *map(panels[1].with_suffix, (".glb", ".obj"))}
    assert files == {path.resolve() for path in expected} and len(links) == 3
    (tmp_path / "index.html").write_text(text, "utf-8")
    assert is_ours(tmp_path / "index.html")


def test_a_face_is_there_as_it_is(panels: list[Path], tmp_path: Path) -> None:
    canvas = Seen(gallery(panels, tmp_path)).all("canvas")[1]
    size = int(canvas["data-size"])
    near, far = map(float, canvas["data-range"].split())
    words = np.frombuffer(base64.b64decode(canvas["data-depth"]), "<u2").reshape(size, size)
    depth = np.load(panels[1].with_suffix(".npz"))["canonical_depth"]
    np.testing.assert_allclose(near + (far - near) * words / 65535, depth, atol=2e-6)
    kind, content = canvas["data-skin"].split(",")
    skin = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kind == "data:image/webp;base64" and skin.mode == "RGBA"
    assert skin.size == (size, size) == (int(canvas["data-texture"]),) * 2


def test_videos_are_played_from_beside_the_page(panels: list[Path], tmp_path: Path) -> None:
    page = Seen(gallery(panels[1:], tmp_path, [tmp_path / f"{ODD}-3d.mp4"]))
    (video,) = page.all("video")
    allowed = {"controls", "loop", "autoplay", "muted", "playsinline", "src"}
    assert {"controls", "src"} <= set(video) <= allowed
    assert video["src"].startswith("./") and unquote(video["src"]) == f"./{ODD}-3d.mp4"
    assert f"{ODD}-3d" in page.text["h2"] and len(page.all("script")) == 1
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv"))
    assert "media-src 'self' file:;" in policy


def test_the_page_s_face_ends_where_that_of_the_file_does(panels: list[Path]) -> None:
    path = panels[0].with_suffix(".npz")
    assert face_of(np.load(path)).region is None
    face = each_tensor(example_face(24), lambda tensor: tensor[:1])
    own = torch.zeros_like(face.depth)
    own[..., 6:18] = 1
    face = replace(face, region=own)
    region = own[0, 0].numpy().astype(np.uint8)
    np.savez(path, **np.load(path), region=region)
    found = face_of(np.load(path))
    assert torch.equal(found.region, face.region) and torch.equal(levels(found), levels(face))
    assert not torch.equal(levels(found), levels(replace(face, region=None)))


def test_the_rim_of_the_texture_is_the_face_s() -> None:
    face = each_tensor(example_face(24), lambda tensor: tensor[:1])
    alpha = np.asarray(textured(face))[..., 3]
    level = face_level(face.depth, face.region)
    assert ((alpha > 127) ^ (level > 0)).sum() < 5
    assert alpha.min() == 0 and alpha.max() == 255


def test_a_flat_depth_is_no_division_by_nothing() -> None:
    words, (near, far) = levels_of_16_bits(torch.ones(1, 1, 3, 3))
    assert near == far == 1 and set(words) == {0}


def test_a_page_has_an_end(panels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    text = gallery(panels, tmp_path)
    assert text.count("<article>") == 1 and "The first 1 of 2 faces." in text
