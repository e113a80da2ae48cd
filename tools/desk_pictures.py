"""Take the pictures of docs/desk.md: the desk on the synthetic demo, in Chromium.

python -m tools.desk_pictures    after `make demo`; needs Chromium and Playwright
"""

import argparse
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.desk import PASSWORD, served_desk
from credit_scoring.desk.applicants import Wanted
from tools.screenshots import find_browser

_PICTURES = Path(__file__).parents[1] / "docs" / "images"
_COLOURS = 128
_OVERRIDES = (("savings", "Savings of 400,000 shown."), ("incident_explained", "The delay was an error of the bank."))


def main() -> None:
    """Override two decisions, so that there is something to see, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path(), help="folder with model/ and data/ of a demo")
    project = parser.parse_args().project
    browser_path = find_browser()
    with served_desk(project) as (url, applicants, _):
        clients = [row.client for row in applicants.find(Wanted(is_new=True, proposal="refused"))]
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{url}/language/en?next=/sign-in")
            page.fill("#name", "supervisor")
            page.fill("#password", PASSWORD)
            page.click("button.main")
            for client, (code, reason) in zip(clients, _OVERRIDES, strict=False):
                page.goto(f"{url}/applications/{client}")
                page.check(".decide input[value=granted]")
                page.select_option("#code", code)
                page.fill("#reason", reason)
                page.click(".decide button.main")
            page.goto(f"{url}/applications/{clients[len(_OVERRIDES)]}")
            page.fill("input[name=down_payment]", "50000")
            page.wait_for_selector("#simulation .outcome")
            _take(page, "desk_application")
            page.goto(f"{url}/portfolio?cut_off=12")
            _take(page, "desk_portfolio")


def _take(page: Page, name: str) -> None:
    """Take a picture of a whole page, in few colours, as it has."""
    path = _PICTURES / f"{name}.png"
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path, full_page=True)
    picture = Image.open(path).convert("RGB")
    # Small areas keep their colour: a gauge, a mark
    few = picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
