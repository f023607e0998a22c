"""The page as a person sees it, in Chromium: `make browser`, which keeps the pictures it takes.

Skipped where gradio, selenium, Chromium or its driver are missing.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import trimesh
from PIL import Image

from l2rkit.zoo import zoo_file

selenium = pytest.importorskip("selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are missing"),
]
PATIENCE = 120  # s; the first photo waits for the method to be loaded
WIDE, NARROW = (1500, 1250), (400, 3300)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path) -> Iterator[Any]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (
        "--headless=new",
        "--no-sandbox",  # which root has not
        "--disable-dev-shm-usage",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-background-networking",
        f"--window-size={WIDE[0]},{WIDE[1]}",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    chrome = Chrome(options, Service(DRIVER))
    yield chrome
    chrome.quit()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures of the page go."""
    folder = Path(os.environ.get("L2RKIT_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def until(look: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What `look` finds as soon as it finds something."""
    from selenium.common.exceptions import WebDriverException

    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except WebDriverException:  # the page is being built
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what} did not appear within {patience} s")


def find(browser: Any, css: str) -> Any:
    return until(lambda: browser.find_elements("css selector", css), css, 30)[0]


def upload(browser: Any, path: Path) -> None:
    for old in browser.find_elements("css selector", "#photo button[aria-label='Clear']"):
        browser.execute_script("arguments[0].click()", old)
    find(browser, "#photo input[type=file]").send_keys(str(path))
    find(browser, "#photo img")


def press(browser: Any, css: str) -> None:
    browser.execute_script("arguments[0].click()", find(browser, css))


def canvas_shows_a_face(browser: Any, name: str, path: Path) -> bool:
    """Whether the 3D view shows more than its background; `path` gets its picture."""
    canvas = find(browser, f"#{name}-model canvas")
    canvas.screenshot(str(path))
    return middle(path).std() > 10  # the background has one colour


def middle(path: Path) -> np.ndarray:
    """The middle of a picture, in grey, where no label is."""
    grey = np.asarray(Image.open(path).convert("L"), float)
    height, width = grey.shape
    return grey[height // 4 : -height // 4, width // 3 : -width // 3]


def test_upload_model_download(browser: Any, address: str, downloads: Path, shots: Path) -> None:
    browser.get(address)
    find(browser, "#go")
    time.sleep(1)
    browser.save_screenshot(str(shots / "1-empty.png"))
    bottom = browser.execute_script(
        "return document.querySelector('#go').getBoundingClientRect().bottom"
    )
    assert bottom < 800  # px: seen without scrolling on a small laptop
    upload(browser, zoo_file("samples/portrait_4.jpg"))
    press(browser, "#level input[value=severe]")
    press(browser, "#go")
    until(
        lambda: len(browser.find_elements("css selector", "#first-pictures img")) >= 5,
        "the pictures",
    )
    until(lambda: canvas_shows_a_face(browser, "first", shots / "2-model.png"), "the face", 30)
    time.sleep(1)
    browser.save_screenshot(str(shots / "3-one-method.png"))
    link = find(browser, "#first-glb a, a#first-glb, #first-glb")
    browser.execute_script("arguments[0].click()", link)
    (file,) = until(lambda: list(downloads.glob("*.glb")), "the download", 20)
    mesh = trimesh.load(file, force="mesh")
    assert "portrait_4-l2r_openfaces" in file.name and 0 < len(mesh.vertices) < 128**2


def test_it_turns_when_dragged(browser: Any, shots: Path) -> None:
    from selenium.webdriver import ActionChains

    canvas = find(browser, "#first-model canvas")
    canvas.screenshot(str(shots / "4-before.png"))
    ActionChains(browser).drag_and_drop_by_offset(canvas, 90, 0).perform()
    time.sleep(2)
    canvas.screenshot(str(shots / "5-turned.png"))
    before, after = (middle(shots / f"{name}.png") for name in ("4-before", "5-turned"))
    assert np.abs(before - after).mean() > 2


def test_two_methods_beside_each_other(browser: Any, shots: Path) -> None:
    box = find(browser, "#beside input")
    box.click()
    until(lambda: option(browser, "unsup3d_openfaces"), "the list", 10).click()
    press(browser, "#go")
    until(lambda: canvas_shows_a_face(browser, "second", shots / "6-second.png"), "the other face")
    time.sleep(2)
    browser.save_screenshot(str(shots / "7-two-methods.png"))
    grid = find(browser, "#second-pictures .grid-wrap")
    inside = find(browser, "#second-pictures .grid-container")
    assert grid.size["height"] < inside.size["height"] + 40  # no blank below the pictures
    browser.set_window_size(*NARROW)
    time.sleep(2)
    browser.save_screenshot(str(shots / "8-narrow.png"))
    width, taken = browser.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    assert taken <= width <= NARROW[0]  # nothing sticks out
    browser.set_window_size(*WIDE)


def option(browser: Any, name: str) -> Any:
    found = browser.find_elements("css selector", "ul[role=listbox] li")
    return next((one for one in found if name in one.text), None)


def test_what_is_no_picture_is_one_line_in_the_page(
    browser: Any, shots: Path, tmp_path: Path
) -> None:
    path = tmp_path / "nobody.png"
    Image.new("RGB", (90, 90), (200, 180, 90)).save(path)
    upload(browser, path)
    press(browser, "#go")
    toasts = ".toast-body, [data-testid=toast-body]"
    said = until(
        lambda: [e.text for e in browser.find_elements("css selector", toasts) if e.text],
        "the error",
    )[0]
    browser.save_screenshot(str(shots / "9-error.png"))
    assert len(browser.find_elements("css selector", "[data-testid=toast-body]")) == 1
    overlays = browser.find_elements("css selector", "[data-testid=status-tracker] .error")
    assert not any(one.is_displayed() for one in overlays)  # it is said once
    assert "photo 'nobody.png': no face found" in said and "/" not in said
    time.sleep(12)  # gradio's own lines are gone after 10 s
    assert any(said in e.text for e in browser.find_elements("css selector", toasts))


def test_no_other_host_is_asked(browser: Any, address: str) -> None:
    asked = [
        json.loads(line["message"])["message"]["params"]["request"]["url"]
        for line in browser.get_log("performance")
        if "Network.requestWillBeSent" in line["message"]
        and "request" in json.loads(line["message"])["message"]["params"]
    ]
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme.startswith("http")}
    assert len(asked) > 20 and hosts == {urlsplit(address).netloc}
    severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    refused = [text for text in severe if "Content Security Policy" in text or " 404 " in text]
    assert not refused  # nothing was tried, and no route that the page needs is closed
