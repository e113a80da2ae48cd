"""Take the pictures of the officer's desk that README and docs show, of the demo's model and applicants.

A supervisor looks at an application that the model would decline, tries a down payment, overrides two proposals and
tries another cut-off. The desk has a decision log of its own, so that nothing of it stays.
Run by `make screenshots`; needs Chromium.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.desk import PASSWORD, served_desk
from credit_scoring.project import enter_project
from tools.screenshots import find_browser, save_small

FOLDER = "docs/images"
SIZE = {"width": 1280, "height": 900}
OVERRIDES = {"savings": "Savings of 400,000 were shown.", "incident_explained": "The bank confirms the settlement."}
"""Reasons of the overrides, by code, and their explanations."""


def main() -> None:
    """Take both pictures of the project's desk."""
    project = enter_project()
    for path in take_pictures(project, project / FOLDER):
        sys.stdout.write(f"{path.relative_to(project)}\n")


def take_pictures(project: Path, folder: Path) -> list[Path]:
    """Picture one application (`desk_application.png`) and the portfolio (`desk_portfolio.png`), in English.

    Raises:
        RuntimeError: If there is no browser.
    """
    browser_path = find_browser()
    paths = [folder / "desk_application.png", folder / "desk_portfolio.png"]
    with served_desk(project) as (url, _, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path)
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="UTC")
        page.goto(f"{url}/language/en?next=/sign-in")
        page.fill("#name", "supervisor")
        page.fill("#password", PASSWORD)
        page.click("button.main")
        page.goto(f"{url}/?proposal=refused&page=3")
        declined = page.locator(".queue th a").all_inner_texts()
        page.goto(f"{url}/applications/{declined[0]}")
        page.fill("input[name=down_payment]", "50000")
        page.click("#simulate button")
        page.locator(".simulation").first.wait_for()
        save_small(page.screenshot(full_page=True), paths[0])
        for client, (code, explanation) in zip(declined[1:], OVERRIDES.items(), strict=False):
            _override(page, f"{url}/applications/{client}", code, explanation)
        page.goto(f"{url}/portfolio?cut_off=12")
        save_small(page.screenshot(full_page=True), paths[1])
        browser.close()
    return paths


def _override(page: Page, address: str, code: str, explanation: str) -> None:
    page.goto(address)
    page.check(".decide input[value=granted]")
    page.select_option("#code", code)
    page.fill("#reason", explanation)
    page.click(".decide button.main")


if __name__ == "__main__":
    main()
