"""The page in a real browser: `noise2x page` as people use it. Needs the extra page-test."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.scripts.page.conftest import encoded, noisy

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra page-test")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the same")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here"),
]
SECONDS = 60_000  # milliseconds, for what waits for a model


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address that the command prints."""
    folder = tmp_path_factory.mktemp("page")
    flags = ["--nobrowser", "--port=0", f"--folder={folder}", "--precision=float32"]
    command = [sys.executable, "-m", "noise2x", "page", *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield re.search(r"http\S+", process.stdout.readline()).group()
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        # As root, as in containers, Chromium's sandbox does not start.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium, address):
    """A tab with the page, in which nothing goes wrong unseen."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#drop")
    yield page
    context.close()
    assert not wrong


def drop(tab, name, content):
    kinds = {"png": "image/png", "jpg": "image/jpeg", "tif": "image/tiff"}
    kind = kinds.get(name.rsplit(".")[-1], "text/plain")
    tab.set_input_files("#choose", {"name": name, "mimeType": kind, "buffer": content})


def restored(tab, name, content):
    """Drops a picture and waits until it is restored."""
    drop(tab, name, content)
    tab.wait_for_selector(f"#list button[aria-current=true]:has-text('{name}')")
    tab.wait_for_selector("#save:not([hidden])", timeout=SECONDS)


def saved(tab):
    """The file that "Save the picture" gives: (its name, its bytes)."""
    with tab.expect_download() as coming:
        tab.click("#save")
    with open(coming.value.path(), "rb") as file:
        return coming.value.suggested_filename, file.read()


def wait_for_strength(tab, percent):
    """Waits until the file of this strength can be saved."""
    tab.wait_for_function(
        "percent => document.getElementById('strength-out').textContent === `${percent} %`"
        " && !document.getElementById('save').hidden",
        arg=percent,
        timeout=SECONDS,
    )


def test_drop_see_slide_and_save(tab, tmp_path, run_command):
    image = encoded(noisy((60, 80, 3)), "png")
    restored(tab, "holiday.png", image)
    tab.wait_for_function("() => document.getElementById('over').naturalWidth === 80")
    assert tab.inner_text("#left-tag") == "Before" and tab.inner_text("#right-tag") == "photo"
    (tmp_path / "holiday.png").write_bytes(image)
    for percent, strength in ((100, 1.0), (90, 0.9)):
        if percent < 100:
            tab.focus("#strength")
            for _ in range(2):
                tab.keyboard.press("ArrowLeft")
            assert tab.inner_text("#right-tag") == "photo 90 %"  # at once, before the file is there
        wait_for_strength(tab, percent)
        name, content = saved(tab)
        flags = ["--model=photo", "--precision=float32", f"--strength={strength}"]
        out = tmp_path / "out"
        done = run_command(
            "noise2x", "denoise", *flags, f"--output={out}", tmp_path / "holiday.png"
        )
        assert done.returncode == 0, done.stderr
        assert name == "holiday-denoised.png"
        assert content == (out / "holiday.png").read_bytes()


def test_the_divider_and_the_zoom_obey_the_keyboard(tab):
    restored(tab, "keys.png", encoded(noisy((60, 80, 3)), "png"))
    tab.focus("#divide")
    tab.keyboard.press("ArrowLeft")
    divide = "document.getElementById('viewer').style.getPropertyValue('--divide')"
    assert tab.evaluate(divide) == "49%"
    tab.focus("#viewer")
    tab.keyboard.press("1")
    assert tab.inner_text("#zoom-out") == "100 %"
    tab.keyboard.press("+")
    assert tab.inner_text("#zoom-out") == "125 %"
    transform = "document.getElementById('left').style.transform"
    before = tab.evaluate(transform)
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(transform) != before
    both = "document.getElementById('over').style.transform === " + transform
    assert tab.evaluate(both)
    tab.keyboard.press("0")
    box = tab.locator("#viewer").bounding_box()
    handle = box["x"] + 0.49 * box["width"], box["y"] + 0.5 * box["height"]
    tab.mouse.move(*handle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.25 * box["width"], handle[1], steps=4)
    tab.mouse.up()
    assert abs(float(tab.evaluate(divide).rstrip("%")) - 25) < 1


def test_fingers_move_the_divider_and_the_picture_and_zoom(chromium, address):
    context = chromium.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(address)
    restored(page, "touch.png", encoded(noisy((60, 80, 3)), "png"))
    page.locator("#viewer").scroll_into_view_if_needed()
    box = page.locator("#viewer").bounding_box()
    fingers = context.new_cdp_session(page)

    def touch(kind, *places):
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0.5, 0.5))
    for x in (0.45, 0.4, 0.3, 0.2):
        touch("touchMove", (x, 0.5))
    touch("touchEnd")
    divide = "document.getElementById('viewer').style.getPropertyValue('--divide')"
    assert abs(float(page.evaluate(divide).rstrip("%")) - 20) < 1
    transform = "document.getElementById('left').style.transform"
    before, zoom = page.evaluate(transform), page.inner_text("#zoom-out")
    touch("touchStart", (0.7, 0.3))
    touch("touchMove", (0.75, 0.35))
    touch("touchMove", (0.8, 0.4))
    touch("touchEnd")
    assert page.evaluate(transform) != before and page.inner_text("#zoom-out") == zoom
    touch("touchStart", (0.6, 0.3), (0.7, 0.3))
    touch("touchMove", (0.5, 0.3), (0.8, 0.3))
    touch("touchEnd")
    far = [int(text.split()[0]) for text in (zoom, page.inner_text("#zoom-out"))]
    assert 2 < far[1] / far[0] < 4, far  # three times as far apart
    context.close()


def test_work_is_found_after_a_reload_in_two_tabs_and_can_be_cancelled(tab, address):
    restored(tab, "large.png", encoded(noisy((1500, 1500, 1)), "png"))
    tab.select_option("#model", "ssdn-gauss25-known-grey")
    tab.click("#restore")
    tab.wait_for_selector("#working:not([hidden])")
    tab.reload()
    tab.wait_for_selector("#working:not([hidden])")
    second = tab.context.new_page()
    second.goto(address)
    second.wait_for_selector("#cancel:not([hidden])")
    assert "ssdn-gauss25-known-grey" in second.inner_text("#status")
    second.click("#cancel")
    tab.wait_for_selector("#working", state="hidden", timeout=SECONDS)
    # Neither tab has a result of it, and it can be asked for again.
    for one in (tab, second):
        assert "ssdn" not in one.inner_text("#against")
    second.close()


def test_what_is_wrong_is_said_and_names_are_text(tab):
    shown = []
    tab.on("dialog", lambda dialog: (shown.append(dialog.message), dialog.dismiss()))
    drop(tab, "broken.png", b"\x89PNG\r\n\x1a\nnothing")
    tab.wait_for_selector("#problem:not([hidden])")
    assert tab.inner_text("#problem").startswith("broken.png: not readable as an image")
    drop(tab, "notes.txt", b"words")
    tab.wait_for_function(
        "() => document.getElementById('problem').textContent.includes('notes.txt')"
    )
    drop(tab, "<img src=x onerror=alert(1)>.png", encoded(noisy((32, 32, 3)), "png"))
    tab.wait_for_function(
        "() => document.getElementById('list').textContent.includes('_img src=x')"
    )
    assert not shown


def test_stacks_have_pages_and_deviations_a_view(tab):
    stack = np.stack([noisy((48, 64, 1), np.uint16, seed)[..., 0] for seed in range(3)])
    restored(tab, "stack.tif", encoded(stack, "tif"))
    assert tab.is_checked("#calibrate")  # counts, most likely
    assert tab.inner_text("#display").startswith("Shown from ")
    tab.focus("#page")
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("() => document.getElementById('over').src.includes('page=1')")
    assert tab.inner_text("#page-out") == "2 / 3"
    restored(tab, "grey.png", encoded(noisy((48, 64, 1)), "png"))
    tab.select_option("#model", "ssdn-gauss25-known-grey")
    assert tab.input_value("#level") == "25"
    tab.click("#restore")
    tab.wait_for_selector("#std-label:not([hidden])", timeout=SECONDS)
    tab.check("input[value=std]")
    tab.wait_for_function("() => document.getElementById('over').src.includes('what=std')")
    tab.select_option("#against", label="photo-grey")
    assert tab.inner_text("#left-tag") == "photo-grey"
    assert tab.inner_text("#right-tag") == "Uncertainty"


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_keeps_anybody_out(width, colours, tab):
    restored(tab, f"{width}{colours}.png", encoded(noisy((48, 64, 3)), "png"))
    tab.emulate_media(color_scheme=colours)
    tab.set_viewport_size({"width": width, "height": 800})
    for details in tab.query_selector_all("summary"):
        details.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(tab)
    assert not found.response["violations"], found.generate_report()
