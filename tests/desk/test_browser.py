"""The desk in Chromium: journeys of officers, supervisors and auditors, accessibility, no exception of the policy."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk.conftest import PASSWORD, Running

WIDTHS = (360, 1280, 2560)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return what opens the desk for somebody; any complaint of the browser fails the test."""
    contexts, complaints = [], []

    def start(running: Running, name: str | None, language: str = "en", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # A form that is refused is a "failed resource" to the console, which is no complaint about the page
        page.on("console", lambda said: complaints.append(said.text) if "status of 4" not in said.text else None)
        page.goto(f"{running.url}/language/{language}?next=/sign-in")
        if name:
            sign_in(page, name)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Any, name: str, password: str = PASSWORD) -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("button.main")


def notice(page: Any) -> str:
    return page.inner_text(".notice")


def test_find_read_what_if_override_letter(office: Running, open_page: Callable[..., Any]) -> None:
    client = office.waiting("refused", 10)
    page = open_page(office, "olga")
    page.fill("#client", str(client))
    page.press("#client", "Enter")
    assert page.inner_text("h1") == f"Application {client}"
    assert page.locator(".reasons li").count() <= 4
    assert page.locator(".reasons li").first.get_attribute("class") == "against"
    page.fill("input[name=amount]", "100,000")  # answered while it is typed
    page.wait_for_selector("#simulation .outcome")
    assert "Simulation" in page.inner_text("#simulation")
    page.click("#change a")
    page.wait_for_selector("#change .mark")
    page.check(".decide input[value=granted]")
    page.click(".decide button.main")
    assert "choose a reason" in notice(page)
    page.check(".decide input[value=granted]")
    page.select_option("#code", "savings")
    page.fill("#reason", "Savings of 400,000 were shown.")
    page.click(".decide button.main")
    assert notice(page) == "Your decision is recorded."
    assert "Override: approve" in page.inner_text(".events")
    page.click("text=Letter to the customer")
    assert page.locator("img.sheet").evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    page.check("input[value=post]")
    page.click("text=Record that it was sent")
    assert notice(page) == "The letter is recorded."
    assert "Letter sent: post" in page.inner_text(".events")


def test_second_examination(office: Running, open_page: Callable[..., Any]) -> None:
    client = office.waiting("refused", 11)
    page = open_page(office, "olga", "fr")
    page.goto(f"{office.url}/applications/{client}")
    page.check(".decide input[value=refused]")
    page.click(".decide button.main")
    page.click("summary >> nth=0")
    page.fill("#observations", "J'ai un nouvel emploi depuis mai.")
    page.click("text=Enregistrer la demande")
    assert "second examen est enregistrée" in notice(page)
    other = open_page(office, "otto", "fr")
    other.click(f".waiting a:has-text('{client}')")
    assert "J'ai un nouvel emploi depuis mai." in other.inner_text(".decide")
    other.check(".decide input[value=granted]")
    other.select_option("#code", "incident_explained")
    other.fill("#reason", "Le nouvel emploi est confirmé.")
    other.click(".decide button.main")
    other.wait_for_selector(".events:has-text('Second examen terminé')")  # the page may still be arriving
    assert "Second examen terminé : accorder" in other.inner_text(".events").replace("\xa0", " ").replace(
        ": a", " : a", 1
    )


def test_sign_in_and_lockout(variant: Callable[..., Running], open_page: Callable[..., Any]) -> None:
    page = open_page(variant(attempts=2), None)
    for _ in range(2):
        sign_in(page, "olga", "wrong password")
        assert "The name or the password is wrong" in notice(page)
    sign_in(page, "olga")
    assert "locked" in notice(page)
    sign_in(page, "otto")
    assert page.inner_text("h1") == "Applications"
    page.click("text=Sign out")
    assert page.inner_text("h1") == "Sign in"


def test_an_auditor_finds_nothing_to_press(office: Running, open_page: Callable[..., Any]) -> None:
    page = open_page(office, "ada")
    page.goto(f"{office.url}/applications/{office.waiting('granted', 12)}")
    forms = page.locator("main form").evaluate_all("forms => forms.map(form => form.getAttribute('action'))")
    assert all("/what-if" in action for action in forms)


def test_two_officers_on_one_application(office: Running, open_page: Callable[..., Any]) -> None:
    client = office.waiting("granted", 13)
    pages = [open_page(office, name) for name in ("olga", "otto")]
    for page in pages:
        page.goto(f"{office.url}/applications/{client}")
        page.check(".decide input[value=granted]")
    pages[0].click(".decide button.main")
    assert notice(pages[0]) == "Your decision is recorded."
    pages[1].click(".decide button.main")
    assert "somebody else has worked on this application" in notice(pages[1])


def test_what_if_works_without_scripts(office: Running, open_page: Callable[..., Any]) -> None:
    page = open_page(office, "olga", java_script_enabled=False)
    page.goto(f"{office.url}/applications/{office.waiting('refused', 12)}")
    page.fill("input[name=amount]", "100,000")
    page.click("#simulate button")
    assert "Simulation" in page.inner_text("#simulation")
    page.click("#change a")
    assert "Simulation" in page.inner_text("#change")


def test_the_slider_shows_another_cut_off(office: Running, open_page: Callable[..., Any]) -> None:
    page = open_page(office, "sam")
    page.goto(f"{office.url}/portfolio")
    page.focus("#cut_off")
    page.keyboard.press("End")
    page.wait_for_url("**cut_off=40*")
    assert "tried, 40.0%" in page.inner_text("table >> nth=0")


def test_the_keyboard_gets_everywhere(office: Running, open_page: Callable[..., Any]) -> None:
    page = open_page(office, "olga")
    page.goto(office.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto(f"{office.url}/applications/{office.waiting('granted', 12)}")
    page.focus(".decide input[value=granted]")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert notice(page) == "Your decision is recorded."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_in_both_languages(office: Running, open_page: Callable[..., Any], scheme: Any) -> None:
    """Axe finds no violation on any page, and no page is wider than its window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    decided = office.waiting("refused", 13)
    language = "fr" if scheme == "dark" else "en"
    page = open_page(office, "sam", language, color_scheme=scheme)
    page.goto(f"{office.url}/applications/{decided}")
    if page.locator(".decide > div").count():
        page.check(".decide input[value=refused]")
        page.click(".decide button.main")
    pictures = os.environ.get("DESK_PICTURES")
    paths = ("/", f"/applications/{decided}", f"/applications/{office.waiting('review')}", "/portfolio", "/sign-ins",
             "/glossary", f"/applications/{decided}/letter", "/applications/1")  # fmt: skip
    for path in paths:
        page.goto(office.url + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            if path == "/":
                assert page.evaluate("(list => list.scrollWidth <= list.clientWidth)(document.querySelector('.wide'))")
            if pictures:
                name = f"{path.strip('/').replace('/', '_') or 'queue'}_{width}_{language}_{scheme}.png"
                page.screenshot(path=Path(pictures) / name, full_page=True)
            if width == (360 if scheme == "dark" else 1280):
                found = axe.Axe().run(page).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (path, width)
