"""A screenshot of every page, light and dark, wide and narrow: `python -m tests.pictures` fills ./pictures/."""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pricer.__main__ import main as pricer
from tests import browser as chromium
from tests.serving import ROOT, serving

PAGES = {
    "home": "", "catalogue": "catalogue", "curate": "curate", "publish": "publish", "train": "train", "tune": "tune",
    "runs": "runs", "compare": "compare", "predict": "predict",
}  # fmt: skip
LOOKS = ("light", "dark")
WIDTHS = (1280, 400)
HEIGHT = 900
DEMO_ROWS = 20_000


def take_pictures(url: str, browser: Browser, folder: Path) -> list[Path]:
    """Photograph every page of a running server, whole, as NAME-WIDTH-LOOK.png; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for look in LOOKS:
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=look)
            for name, path in PAGES.items():
                page.goto(f"{url}/{path}")
                files.append(folder / f"{name}-{width}-{look}.png")
                _photograph(page, files[-1])
            page.close()
    return files


def _photograph(page: Page, file: Path) -> None:
    """Wait until the page stands still, make the window as high as its content, and take the picture."""
    width = page.viewport_size["width"]
    _wait_until_still(page)
    content = page.locator("[data-testid=stMainBlockContainer]").evaluate("element => element.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(HEIGHT, content)})
    _wait_until_still(page)
    page.screenshot(path=file)
    page.set_viewport_size({"width": width, "height": HEIGHT})


def _wait_until_still(page: Page) -> None:
    page.locator(".pr-page h1").wait_for(timeout=60_000)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=60_000)
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.wait_for_timeout(1500)  # charts are drawn after the script has ended, and sidebars slide


def main() -> int:
    path = chromium.find()
    if path is None:
        print("No Chromium: `python -m tests.browser` gets one", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PRICER_HOME"] = str(home)
        pricer(["demo", "--rows", str(DEMO_ROWS), "--catalogue", "demo"])
        pricer(["sample", "demo", "--dataset", "demo-scaled"])
        for model in ("median", "bag-of-words", "tfidf-ridge"):
            pricer(["train", model, "--dataset", "demo-scaled"])
        with serving(home) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
            files = take_pictures(server.url, browser, ROOT / "pictures")
            browser.close()
    print(f"{len(files)} pictures in {ROOT / 'pictures'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
