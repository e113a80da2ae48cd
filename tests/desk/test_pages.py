"""The desk over HTTP: who may do what, what is recorded, what is refused, and what letters say."""

import html
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from babel.dates import format_date

from credit_scoring.decision_log.chain import SHADOWED, Draft, verify
from credit_scoring.decision_log.log import EXAMINATION_REQUESTED, OVERRIDDEN, DecisionLog
from credit_scoring.decision_log.settings import LogSettingError
from credit_scoring.desk.application import make_application
from credit_scoring.desk.journal import Journal
from tests.decision_log.conftest import append, decision
from tests.desk.conftest import PASSWORD, Running, token_of
from tests.pdf import read_pages

APPROVE = {"decision": "granted", "code": "savings", "reason": "Savings of 400,000 were shown."}
DECLINE = {"decision": "refused", "code": "over_indebted", "reason": "Debts are too high after all."}


def kinds(running: Running, client: int) -> list[str]:
    record = running.desk.journal.record(client)
    return [event.kind for event in record.events] if record else []


def log_of(running: Running) -> DecisionLog:
    assert running.desk.journal._log
    return running.desk.journal._log


@pytest.fixture
def paths(office: Running) -> list[str]:
    one = f"/applications/{office.waiting('granted')}"
    return ["/", "/next", one, f"{one}/change", f"{one}/letter", f"{one}/letter.pdf", f"{one}/letter.png", "/portfolio",
            "/sign-ins", "/glossary"]  # fmt: skip


def test_nothing_is_shown_to_strangers(office: Running, paths: list[str]) -> None:
    for path in paths:
        answer = requests.get(office.url + path, allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), path


def test_every_answer_has_the_headers_that_keep_browsers_in_check(office: Running, paths: list[str]) -> None:
    officer = office.officer("olga")
    for path in [*paths, "/sign-in", "/nowhere", "/assets/desk.css", "/applications/1"]:
        headers = officer.get(path, allow_redirects=False).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cache-Control"] == "no-store", path


def test_pages_hold_no_inline_script_or_style(office: Running, paths: list[str]) -> None:
    officer = office.officer("sam")
    for path in paths:
        answer = officer.get(path)
        if answer.headers["content-type"].startswith("text/html"):
            assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son\w+=|javascript:", answer.text), path


def test_assets_are_cached_by_their_digest(office: Running) -> None:
    path = re.search(r'href="(/assets/[\w.]+\.css)"', requests.get(f"{office.url}/sign-in", timeout=10).text)
    assert path
    first = requests.get(office.url + path[1], timeout=10)
    assert "immutable" in first.headers["Cache-Control"]
    again = requests.get(office.url + path[1], headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert again.status_code == 304


def test_another_host_name_is_refused(office: Running) -> None:
    assert requests.get(office.url, headers={"Host": "evil.example"}, timeout=10).status_code == 400
    assert requests.get(office.url, headers={"Host": "[2001:db8::1]:1235"}, timeout=10).status_code == 400
    for own in ("[::1]:1235", "localhost"):
        assert requests.get(f"{office.url}/sign-in", headers={"Host": own}, timeout=10).ok


def test_forms_need_the_token_of_their_page_and_its_origin(office: Running) -> None:
    client = office.waiting("granted", 1)
    officer = office.officer("olga")
    page = officer.get(f"/applications/{client}").text
    form = {"version": token_of(page, "version"), "decision": "granted"}
    own = token_of(page, "form_token")
    others = token_of(office.officer("otto").get(f"/applications/{client}").text, "form_token")
    assert own != others
    for path in ("decision", "examination", "first-view", "what-if", "letter"):
        url = f"{office.url}/applications/{client}/{path}"
        for token in ("", "x", others):
            assert officer.web.post(url, data=form | {"form_token": token}, timeout=10).status_code == 403
        foreign = {"Origin": "http://evil.example"}
        answer = officer.web.post(url, data=form | {"form_token": own}, headers=foreign, timeout=10)
        assert answer.status_code == 403
    assert kinds(office, client) == []
    assert officer.web.post(f"{office.url}/sign-out", data={}, timeout=10).status_code == 403


def test_a_session_cannot_be_planted_and_changes_at_sign_in(office: Running) -> None:
    officer = office.officer()
    officer.web.cookies.set("desk_session", "planted")
    assert officer.sign_in("olga").ok
    tokens = {cookie.value for cookie in officer.web.cookies if cookie.name == "desk_session"}
    first = officer.web.cookies.get_dict(domain="127.0.0.1").get("desk_session") or tokens.pop()
    assert first != "planted"
    stranger = office.officer()
    stranger.web.cookies.set("desk_session", "planted")
    assert "/sign-in" in stranger.get("/").url


def test_sign_in_goes_on_to_pages_of_the_desk_only(office: Running) -> None:
    for there in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: y"):
        officer = office.officer()
        token = token_of(officer.get("/sign-in").text, "form_token")
        form = {"form_token": token, "name": "olga", "password": PASSWORD, "next": there}
        answer = officer.web.post(f"{office.url}/sign-in", data=form, allow_redirects=False, timeout=30)
        assert answer.headers["location"] == "/"


def test_an_auditor_reads_and_does_nothing_else(office: Running) -> None:
    client = office.waiting("granted", 1)
    auditor = office.officer("ada")
    assert auditor.get(f"/applications/{client}").ok
    assert auditor.get("/portfolio").ok
    for path in ("decision", "examination", "first-view"):
        assert auditor.post(f"/applications/{client}/{path}", APPROVE | {"view": "granted"}).status_code == 403
    page = auditor.get(f"/applications/{client}").text
    assert "/decision" not in page
    form = {"form_token": token_of(page, "form_token"), "medium": "post", "version": token_of(page, "version")}
    assert auditor.web.post(f"{office.url}/applications/{client}/letter", data=form, timeout=10).status_code == 403
    assert kinds(office, client) == []


def test_an_officer_does_not_see_the_portfolio(office: Running) -> None:
    officer = office.officer("olga")
    assert officer.get("/portfolio").status_code == 403
    assert officer.get("/sign-ins").status_code == 403


@pytest.mark.parametrize("path", ["1", "9" * 23, "0", "-1", "abc", "1%20OR%201=1", "..%2f..%2fetc%2fpasswd"])
def test_an_application_that_there_is_not_is_a_page_that_says_so(office: Running, path: str) -> None:
    answer = office.officer("olga").get(f"/applications/{path}")
    assert answer.status_code == 404
    assert "There is no" in answer.text


@pytest.mark.parametrize(
    "query",
    ["client=<script>alert(1)</script>", "client='--", "page=-1", "page=9999999", "page=x", "proposal=x", "product=%00",
     "of=x", "client=%F0%9F%92%A3", "client=0123", "cut_off=nan"],
)  # fmt: skip
def test_odd_questions_are_answered_in_order(office: Running, query: str) -> None:
    for path in ("/", "/portfolio"):
        answer = office.officer("sam").get(f"{path}?{query}")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


def test_text_that_people_write_is_shown_and_never_run(office: Running) -> None:
    client = office.waiting("granted", 2)
    officer = office.officer("olga")
    evil = "<img src=x onerror=alert(1)> {{ 7*7 }} ' OR 1=1 --"
    assert officer.post(f"/applications/{client}/decision", DECLINE | {"reason": evil}).ok
    assert officer.post(f"/applications/{client}/examination", {"observations": evil}).ok
    page = officer.get(f"/applications/{client}").text
    # Twice in the history, and once more where the open examination is told
    assert page.count("&lt;img src=x onerror=alert(1)&gt; {{ 7*7 }} &#39; OR 1=1 --") == 3
    assert "<img src=x" not in page


def test_a_form_of_100_kilobytes_is_refused(office: Running) -> None:
    officer = office.officer("olga")
    answer = officer.post(f"/applications/{office.waiting('granted', 1)}/decision", {"reason": "x" * 100_000})
    assert answer.status_code == 413


def test_whoever_decides_otherwise_has_to_say_why(office: Running) -> None:
    client = office.waiting("refused", 1)
    officer = office.officer("olga")
    path = f"/applications/{client}/decision"
    for form in ({}, {"decision": "review"}, {"decision": "granted"}, APPROVE | {"reason": "short"},
                 APPROVE | {"code": "over_indebted"}, APPROVE | {"code": "<b>"}):  # fmt: skip
        answer = officer.post(path, form)
        assert answer.status_code == 422, form
        assert "Nothing was recorded" in answer.text
    assert kinds(office, client) == []
    assert officer.post(path, APPROVE).ok
    record = office.desk.journal.record(client)
    assert record
    assert (record.decision, record.final_decision) == ("refused", "granted")
    (event,) = record.events
    assert (event.kind, event.actor, event.content) == ("overridden", "olga", {"reason": APPROVE["reason"]})
    assert event.facts == {"reason_code": "savings", "signed_as": "officer"}
    assert record.content["input"]["params"] == {"explain": True, "language": "en"}
    assert (record.language, record.model_digest) == ("en", office.desk.proposer.manifest)
    assert record.probability == record.content["answer"]["probability_default"]


def test_who_agrees_need_not_say_why(office: Running) -> None:
    client = office.waiting("granted", 3)
    assert "Your decision is recorded" in office.officer("olga").post(
        f"/applications/{client}/decision", {"decision": "granted"}
    ).text  # fmt: skip
    assert kinds(office, client) == ["agreed"]


def test_a_second_click_records_nothing_and_says_so(office: Running) -> None:
    client = office.waiting("granted", 4)
    officer = office.officer("olga")
    page = officer.get(f"/applications/{client}").text
    form = {name: token_of(page, name) for name in ("form_token", "version")} | {"decision": "granted"}
    url = f"{office.url}/applications/{client}/decision"
    answers: list[requests.Response] = []
    clicks = [
        threading.Thread(target=lambda: answers.append(officer.web.post(url, data=form, timeout=30))) for _ in range(3)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert all("Recorded once only" in answer.text for answer in answers if answer.status_code == 409)
    assert kinds(office, client) == ["agreed"]


def test_of_two_officers_the_second_is_told(office: Running) -> None:
    client = office.waiting("granted", 5)
    olga, otto = office.officer("olga"), office.officer("otto")
    page = otto.get(f"/applications/{client}").text
    assert olga.post(f"/applications/{client}/decision", DECLINE).ok
    form = {name: token_of(page, name) for name in ("form_token", "version")} | {"decision": "granted"}
    answer = otto.web.post(f"{office.url}/applications/{client}/decision", data=form, timeout=30)
    assert answer.status_code == 409
    assert "somebody else has worked on this application" in answer.text
    assert "Debts are too high after all." in answer.text
    assert kinds(office, client) == ["overridden"]


def test_a_second_examination_waits_until_it_has_an_outcome(office: Running) -> None:
    client = office.waiting("refused", 2)
    officer = office.officer("olga")
    one = f"/applications/{client}"
    assert officer.post(f"{one}/decision", {"decision": "refused"}).ok
    assert officer.post(f"{one}/examination", {"observations": "short"}).status_code == 422
    assert officer.post(f"{one}/examination", {"observations": "I have had a new job since May."}).ok
    assert str(client) in officer.get("/?of=past").text  # it waits, on every page of the queue
    assert officer.get(f"{one}/letter").status_code == 409
    assert officer.post(f"{one}/decision", {"decision": "granted"}).status_code == 422
    assert officer.post(f"{one}/decision", APPROVE).ok
    assert kinds(office, client) == ["agreed", "examination_requested", "examination_closed"]
    assert "approved" in officer.get(f"{one}/letter").text


def test_a_later_decision_of_a_batch_hides_nothing_that_people_decided(variant: Callable[..., Running]) -> None:
    running = variant()
    client = running.waiting("refused")
    one, log, officer = f"/applications/{client}", log_of(running), running.officer("olga")
    append(log, decision(client, "refused", 0.3))  # asked for by a request; whoever decides, decides on that
    append(log, decision(client, "granted", 0.05, channel="batch"))
    newest = running.desk.journal.record(client)
    assert newest
    assert newest.channel == "batch"
    assert officer.post(f"{one}/decision", DECLINE).ok
    for done in (["overridden"], ["overridden", "examination_requested"]):
        append(log, decision(client, "granted", 0.05, channel="batch"))
        assert kinds(running, client) == done
        assert running.desk.journal.states([client]) == {client: done[-1]}
        assert officer.get(f"{one}/letter").status_code == (200 if done == ["overridden"] else 409)
        officer.post(f"{one}/examination", {"observations": "I have had a new job since May."})
    assert officer.post(f"{one}/decision", APPROVE).ok
    assert kinds(running, client) == ["overridden", "examination_requested", "examination_closed"]
    assert running.desk.journal.waiting() == []


def test_a_decision_on_nobody_known_does_not_stop_the_queue(variant: Callable[..., Running]) -> None:
    running = variant()
    nobody = decision(1)
    nobody.applicant = None
    (one,) = append(log_of(running), nobody)
    log_of(running).append(one, EXAMINATION_REQUESTED, actor="olga", content={"observations": "They called."})
    assert running.officer("olga").get("/").ok


def test_what_was_written_into_a_refused_form_is_kept(variant: Callable[..., Running]) -> None:
    running = variant(first_view=True)
    client = running.waiting("refused")
    one, olga, otto = f"/applications/{client}", running.officer("olga"), running.officer("otto")
    page = olga.post(f"{one}/first-view", {"view": "x", "remark": "A <long> look"}).text
    assert re.search(r'<textarea id="remark"[^>]*>A &lt;long&gt; look</textarea>', page)
    assert olga.post(f"{one}/first-view", {"view": "unsure"}).ok
    assert olga.post(f"{one}/decision", {"decision": "refused"}).ok
    page = olga.post(f"{one}/examination", {"observations": "A <job>"}).text
    assert re.search(r'<details open><summary>[^<]*</summary>\s*<form[^>]*/examination"', page)
    assert re.search(r'<textarea id="observations"[^>]*>A &lt;job&gt;</textarea>', page)
    stale = {name: token_of(olga.get(one).text, name) for name in ("form_token", "version")}
    assert otto.post(f"{one}/examination", {"observations": "They have a new job."}).ok
    form = stale | {"observations": "A new <job> since May."}
    page = olga.web.post(f"{running.url}{one}/examination", data=form, timeout=30).text
    assert "<blockquote>A new &lt;job&gt; since May.</blockquote>" in page


def test_the_other_language_shows_the_same_page(office: Running) -> None:
    officer = office.officer("olga")

    def switch(page: str) -> requests.Response:
        link = re.search(r'class="language" href="([^"]*)"', page)
        assert link
        return officer.get(html.unescape(link[1]))

    answer = switch(officer.get("/?of=all&page=2&product=Cash+loans").text)
    assert unquote(answer.url).endswith("/?of=all&page=2&product=Cash+loans")
    assert '<html lang="fr">' in answer.text
    one = f"/applications/{office.waiting('granted', 1)}"
    for path in ("decision", "examination", "what-if"):
        answer = switch(officer.post(f"{one}/{path}").text)
        assert (answer.status_code, answer.url) == (200, office.url + one), path
    stranger = office.officer()
    link = re.search(r'class="language" href="([^"]*)"', stranger.sign_in("olga", "wrong").text)
    assert link
    assert stranger.get(html.unescape(link[1])).url == f"{office.url}/sign-in"


def test_above_the_amount_two_persons_sign_one_of_them_a_supervisor(variant: Callable[..., Running]) -> None:
    running = variant(two_person_amount=1.0)
    client = running.waiting("refused")
    path = f"/applications/{client}/decision"
    olga, otto, sam = (running.officer(name) for name in ("olga", "otto", "sam"))
    assert "A second person has to sign" in olga.post(path, APPROVE).text
    assert kinds(running, client) == ["signed"]
    assert olga.get(f"/applications/{client}/letter").status_code == 409
    for officer in (olga, otto):
        answer = officer.post(path, {"decision": "granted"})
        assert (answer.status_code, "another person" in answer.text) == (409, True)
    assert str(client) in sam.get("/?of=past").text
    assert sam.post(path, {"decision": "granted"}).ok
    assert kinds(running, client) == ["signed", "overridden"]
    record = running.desk.journal.record(client)
    assert record
    assert record.events[-1].facts == {"reason_code": "savings", "signed_as": "supervisor"}


def test_with_a_first_view_the_proposal_is_hidden_until_it_is_noted(variant: Callable[..., Running]) -> None:
    running = variant(first_view=True)
    client = running.waiting("refused")
    officer = running.officer("olga")
    one = f"/applications/{client}"
    page = officer.get(one).text
    assert "Your first view" in page
    assert "badge" not in page
    assert officer.post(f"{one}/what-if", {"amount": "1000"}).status_code == 409
    assert officer.get(f"{one}/change").status_code == 409
    assert officer.post(f"{one}/decision", APPROVE).status_code == 409
    assert officer.post(f"{one}/first-view", {"view": "x"}).status_code == 422
    assert "This is what the model proposes" in officer.post(f"{one}/first-view", {"view": "unsure"}).text
    assert kinds(running, client) == ["first_view"]
    assert "Your first view" in running.officer("otto").get(one).text  # theirs is not noted
    assert "Your first view" not in running.officer("ada").get(one).text
    for name, is_shown in (("olga", False), ("ada", True)):
        pages = [running.officer(name).get(f"/?{query}").text for query in ("", "proposal=granted")]
        assert all(("badge" in page) == ('name="proposal"' in page) == is_shown for page in pages)
        assert (f"/applications/{client}" in pages[1]) != is_shown


def test_without_the_log_everything_can_be_read_and_nothing_decided(office: Running, run, tmp_path) -> None:
    (tmp_path / "log").write_text("no folder")
    journal = Journal(office.desk.proposer, 0, f"sqlite:///{tmp_path}/log/decisions.db")
    running = run(replace(office.desk, journal=journal))
    client = running.waiting("granted")
    officer = running.officer("sam")
    for path in ("/", f"/applications/{client}", "/portfolio"):
        answer = officer.get(path)
        assert (answer.status_code, "The decision log cannot be reached" in answer.text) == (200, True), path
    page = officer.get(f"/applications/{client}").text
    assert "disabled" in page
    form = {"form_token": token_of(page, "form_token"), "version": "new", "decision": "granted"}
    answer = officer.web.post(f"{running.url}/applications/{client}/decision", data=form, timeout=30)
    assert answer.status_code == 503
    assert officer.get(f"/applications/{client}/letter").status_code == 503


def test_a_wrong_setting_of_the_log_stops_the_desk(office: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DECISION_LOG", "always"), ("DECISION_LOG_URL", "oracle://x"), ("DECISION_LOG_URI", "x")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(LogSettingError, match="Hint"):
                Journal(office.desk.proposer, 0)


def test_a_session_that_has_ended_records_nothing(office: Running) -> None:
    client = office.waiting("granted", 1)
    officer = office.officer("olga")
    page = officer.get(f"/applications/{client}").text
    office.desk.accounts.add("olga", "officer", PASSWORD)  # which ends her sessions
    form = {name: token_of(page, name) for name in ("form_token", "version")} | {"decision": "granted"}
    answer = officer.web.post(f"{office.url}/applications/{client}/decision", data=form, timeout=30)
    assert answer.status_code == 403
    assert "Your session has ended, and nothing was recorded" in answer.text
    assert kinds(office, client) == []


def test_a_wrong_password_locks_after_a_while_and_is_on_record(variant: Callable[..., Running]) -> None:
    running = variant(attempts=2)
    officer = running.officer()
    told = {officer.sign_in("olga", "wrong").text for _ in range(2)}
    assert officer.sign_in("olga").status_code == 403
    assert "/sign-in" in officer.get("/").url
    assert all("password is wrong, or the account is locked" in text and "in 15 minutes." in text for text in told)
    assert [one.what for one in running.desk.accounts.sign_ins()] == ["locked", "wrong", "wrong"]
    assert "refused, locked" in running.officer("sam").get("/sign-ins").text


def test_a_proxy_signs_in_whom_there_is_an_account_for(variant: Callable[..., Running]) -> None:
    running = variant(proxy_header="X-Remote-User")
    answer = requests.get(f"{running.url}/portfolio", headers={"X-Remote-User": "sam"}, timeout=30)
    assert (answer.status_code, "desk_session" in answer.cookies) == (200, True)
    stranger = requests.get(running.url, headers={"X-Remote-User": "mallory"}, timeout=30)
    assert "/sign-in" in stranger.url
    elsewhere = variant(proxy_header="X-Remote-User", proxy_address="10.0.0.1")
    assert "/sign-in" in requests.get(elsewhere.url, headers={"X-Remote-User": "sam"}, timeout=30).url


def test_a_what_if_is_the_simulation_of_decisions(office: Running) -> None:
    client = office.waiting("refused", 3)
    desk = office.desk
    tables = desk.applicants.read(client)
    asked = tables["application"]
    answer = office.officer("olga").post(f"/applications/{client}/what-if", {"amount": "100000", "annuity": "9,000"})
    changes = {"AMT_CREDIT": 100_000.0, "AMT_ANNUITY": 9_000.0}
    if asked["AMT_GOODS_PRICE"] is not None:
        changes["AMT_GOODS_PRICE"] = round(asked["AMT_GOODS_PRICE"] * 100_000 / asked["AMT_CREDIT"], 2)
    expected = desk.proposer.simulate(tables, {"application": changes}, "en")
    assert f"<strong>{expected['probability_default']:.1%}</strong>" in answer.text
    assert "Simulation – nothing is recorded" in answer.text
    assert kinds(office, client) == []
    wrong = office.officer("olga").post(f"/applications/{client}/what-if", {"amount": "lots"})
    assert "Loan: expected an amount" in wrong.text


@pytest.mark.parametrize(
    ("language", "decline", "approve", "rights"),
    [("en", "we cannot approve it", "has been approved", ("An explanation", "To be heard", "A review by a person")),
     ("fr", "ne pas pouvoir y donner une suite favorable", "est acceptée",
      ("Une explication", "Être entendu", "Un examen par une personne"))],
)  # fmt: skip
def test_letters_say_what_they_have_to_and_no_more(
    office: Running, language: str, decline: str, approve: str, rights: tuple[str, ...]
) -> None:
    officer = office.officer("olga")
    number = 6 if language == "en" else 7
    client, other = office.waiting("refused", number), office.waiting("granted", number)
    for one, decided in ((client, "refused"), (other, "granted")):
        assert officer.get(f"/applications/{one}/letter.pdf").status_code == 409  # nobody has decided
        assert officer.post(f"/applications/{one}/decision", {"decision": decided}).ok
    query = f"?language={language}"
    declined, approved = (
        read(officer.get(f"/applications/{one}/letter.pdf{query}").content) for one in (client, other)
    )
    assert decline in declined
    assert approve in approved
    reasons = [one["text"] for one in office.desk.propose(client, language).reasons if one["effect"] == "against"]
    assert 1 <= len(reasons) <= 4
    for reason in reasons:
        assert flat(reason) in declined
        assert flat(reason) not in approved
    for text in (declined, approved):
        assert all(right in text for right in rights)
        assert office.desk.settings.contact.split("|")[1] in text
        assert not re.search(r"log-odds|SHAP|gender|sexe|family status|situation de famille|widow|veuf", text, re.I)
    assert f"{office.desk.propose(client, language).answer['probability_default']:.1%}" not in declined
    assert officer.get(f"/applications/{client}/letter.png{query}").content.startswith(b"\x89PNG")


def test_a_decline_that_was_not_recorded_at_the_desk_has_its_reasons_or_no_letter(
    variant: Callable[..., Running],
) -> None:
    running = variant()
    officer, log = running.officer("olga"), log_of(running)
    client, other = running.waiting("refused"), running.waiting("granted")
    own = {"model_digest": running.desk.proposer.manifest}
    _, granted = append(log, decision(client, "refused", 0.3, **own), decision(other))
    assert officer.post(f"/applications/{client}/decision", {"decision": "refused"}).ok
    assert kinds(running, client) == ["agreed"]
    text = read(officer.get(f"/applications/{client}/letter.pdf?language=fr").content)
    reasons = [one["text"] for one in running.desk.propose(client, "fr").reasons if one["effect"] == "against"]
    assert reasons
    assert all(flat(reason) in text for reason in reasons)
    log.append(granted, OVERRIDDEN, actor="Ann", decision="refused", content={"reason": "By telephone."})
    for path in ("letter", "letter.pdf", "letter.png"):
        answer = officer.get(f"/applications/{other}/{path}")
        assert (answer.status_code, "no reason for this decline" in answer.text) == (409, True)


def test_the_letter_tells_the_reasons_of_the_model_that_decided(variant: Callable[..., Running]) -> None:
    """Not those of the desk's, if it has another by now."""
    running = variant()
    officer, log, client = running.officer("olga"), log_of(running), running.waiting("refused")
    asked = decision(client, "refused", 0.3, language="en")
    asked.content["answer"]["reasons"] = [
        {"effect": "against", "text": "Moons: 3, more than 95% of approved customers"},
        {"effect": "for", "text": "Suns: 1"},
    ]
    append(log, asked)
    path = f"/applications/{client}"
    assert officer.post(f"{path}/decision", {"decision": "refused"}).ok
    text = read(officer.get(f"{path}/letter.pdf?language=en").content)
    assert "Moons: 3" in text
    assert "Suns" not in text
    today = [one["text"] for one in running.desk.propose(client, "en").reasons if one["effect"] == "against"]
    assert today
    assert not any(flat(reason) in text for reason in today)
    answer = officer.get(f"{path}/letter.pdf?language=fr")
    assert (answer.status_code, "its reasons are not on record in this language" in answer.text) == (409, True)
    assert officer.post(f"{path}/decision", DECLINE).ok  # with a reason of the officer's own
    assert "Les dettes actuelles sont trop élevées pour le revenu" in read(
        officer.get(f"{path}/letter.pdf?language=fr").content
    )


def test_what_the_log_calls_an_override_has_its_reason(variant: Callable[..., Running]) -> None:
    running = variant()
    officer, client = running.officer("olga"), running.waiting("granted")
    append(log_of(running), decision(client, "refused", 0.3))  # as another model decided
    path = f"/applications/{client}/decision"
    assert officer.post(path, {"decision": "granted"}).status_code == 422
    assert officer.post(path, APPROVE).ok
    assert kinds(running, client) == ["overridden"]


def test_letters_are_dated_by_the_day_that_pages_show(office: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = office.waiting("granted", 9), datetime.now(UTC)
    officer = office.officer("olga")
    officer.post(f"/applications/{client}/decision", {"decision": "granted"})
    record = office.desk.journal.record(client)
    assert record
    monkeypatch.setenv("TZ", "UTC-14" if now.hour >= 10 else "UTC+12")  # where it is another day
    time.tzset()
    try:
        day = datetime.fromisoformat(record.time).astimezone().date()
        assert f"{day}" not in record.time
        page = officer.get(f"/applications/{client}/letter?language=en").text
    finally:
        monkeypatch.undo()
        time.tzset()
    assert format_date(day, "long", locale="en") in page


def test_a_letter_that_was_sent_is_on_record(office: Running) -> None:
    client = office.waiting("granted", 8)
    officer = office.officer("olga")
    assert officer.post(f"/applications/{client}/decision", {"decision": "granted"}).ok
    assert officer.post(f"/applications/{client}/letter", {"medium": "pigeon"}).status_code == 422
    assert officer.post(f"/applications/{client}/letter", {"medium": "post", "language": "en"}).ok
    record = office.desk.journal.record(client)
    assert record
    facts = record.events[-1].facts
    assert (facts["letter"], facts["medium"], facts["language"]) == ("granted", "post", "en")
    assert re.fullmatch(r"[0-9a-f]{64}", facts["sha256"])


def test_the_portfolio_counts_what_people_decided(variant: Callable[..., Running]) -> None:
    running = variant()
    clients = [running.waiting("refused", number) for number in range(3)]
    olga = running.officer("olga")
    old = {"time": "2020-01-01T08:00:00.000000Z"}
    (one, _, agreed) = append(log_of(running), *(decision(client, "refused", 0.3, **old) for client in clients))
    past: dict[str, Any] = {"kind": "agreed", "decision_id": agreed, "actor": "ann", **old}
    append(log_of(running), Draft(past))
    olga.post(f"/applications/{clients[0]}/decision", APPROVE)
    olga.post(f"/applications/{clients[1]}/decision", {"decision": "refused"})
    running.officer("otto").post(f"/applications/{clients[2]}/decision", DECLINE)
    running.officer("otto").post(f"/applications/{clients[2]}/decision", APPROVE)  # decided again
    shadows = [Draft({"kind": SHADOWED, "decision_id": one, "decision": said}) for said in ("refused", "granted")]
    append(log_of(running), *shadows)
    append(log_of(running), *(decision(number, "refused", 0.3, channel="batch") for number in range(5_000)))
    page = running.officer("sam").get("/portfolio?cut_off=20").text
    assert "3 decisions in 90 days, of which 2 overrides" in page
    assert re.search(r'olga</th><td class="number">2</td><td class="number">1</td>', page)
    assert re.search(r"Savings or other means confirmed</span> <strong>2</strong>", page)
    assert "tried, 20.0%" in page
    assert "2 decisions were scored by the challenger as well; it agrees on 50.0%." in page


def test_the_chain_of_all_that_was_recorded_is_in_order(office: Running) -> None:
    log = office.desk.journal._log
    assert log
    verify(log.engine)


def test_every_route_that_writes_takes_a_form_only(office: Running) -> None:
    routes = [
        route for route in make_application(office.desk).routes if "POST" in (getattr(route, "methods", None) or ())
    ]
    assert len(routes) == 7
    for route in routes:
        assert "GET" not in route.methods


def read(pdf: bytes) -> str:
    return flat(" ".join(read_pages(pdf)))


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\xa0", " ").replace("’", "'"))
