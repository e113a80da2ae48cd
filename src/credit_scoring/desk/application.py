"""The desk as an ASGI application: what its pages are made of, and which path leads to which."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from credit_scoring.desk import acts, letters, portfolio, reading, signing_in
from credit_scoring.desk.accounts import Accounts
from credit_scoring.desk.applicants import Applicants, open_applicants
from credit_scoring.desk.gate import SecurityHeaders, page
from credit_scoring.desk.journal import Case, Journal
from credit_scoring.desk.pages import Pages
from credit_scoring.desk.proposals import Proposal, Proposer, ask
from credit_scoring.desk.settings import DeskSettings
from credit_scoring.texts import LANGUAGES, Language

# Address to listen on -> what browsers call it
_LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "localhost", "::1": "[::1]"}
_KEPT = 512


@dataclass(frozen=True)
class Desk:
    """What the pages of the desk are made of.

    Attributes:
        settings: How it runs.
        proposer: What proposes.
        applicants: Whom it is about.
        accounts: Who may sit at it.
        journal: The decision log.
        pages: Templates.
        started: When it was started, in seconds since 1970.
    """

    settings: DeskSettings
    proposer: Proposer
    applicants: Applicants
    accounts: Accounts
    journal: Journal
    pages: Pages
    started: float

    @cached_property
    def propose(self) -> Callable[[int, Language], Proposal]:
        """Return what proposes for an applicant that there is, and remembers its last answers."""
        return lru_cache(_KEPT)(lambda client, language: self.proposer.propose(self.applicants.read(client), language))

    def case(self, client: int, language: Language) -> Case:
        """Return an applicant that there is as their application is decided on."""
        reasons = {
            one: [reason["text"] for reason in self.propose(client, one).reasons if reason["effect"] == "against"]
            for one in LANGUAGES
        }
        tables = self.applicants.read(client)
        return Case(client, tables, ask(tables, language), self.propose(client, language), reasons)


def open_accounts(settings: DeskSettings) -> Accounts:
    """Return the accounts of the desk."""
    path = settings.folder / "accounts.db"
    return Accounts(path, settings.attempts, 60 * settings.lock_minutes, 60 * settings.idle_minutes)


def open_desk(settings: DeskSettings) -> Desk:
    """Load the model, and make the file of applicants if there is none or it is not of this model.

    Raises:
        ModelFolderError: If the model is not in order, or has no feature plan.
        LogSettingError: If a variable of the decision log has a value that cannot be meant.
        ValueError: If source tables cannot be used.
    """
    proposer = Proposer(settings.model)
    applicants = open_applicants(settings, proposer)
    applicants.approved  # noqa: B018 - read now, and not while the first officer waits
    return Desk(
        settings,
        proposer,
        applicants,
        open_accounts(settings),
        Journal(proposer, settings.two_person_amount),
        Pages(settings),
        time.time(),
    )


def make_application(desk: Desk) -> Starlette:
    """Return the application."""
    one = "/applications/{client:int}"
    routes = [
        Route("/", page(reading.show_queue)),
        Route("/next", page(reading.go_to_next)),
        Route(one, page(reading.show_application)),
        Route(f"{one}/what-if", page(reading.simulate), methods=["POST"]),
        Route(f"{one}/change", page(reading.find_change)),
        Route(f"{one}/first-view", page(acts.note_first_view, writes=True), methods=["POST"]),
        Route(f"{one}/decision", page(acts.decide, writes=True), methods=["POST"]),
        Route(f"{one}/examination", page(acts.request_examination, writes=True), methods=["POST"]),
        Route(f"{one}/letter", page(letters.show), methods=["GET"]),
        Route(f"{one}/letter", page(letters.record, writes=True), methods=["POST"]),
        Route(f"{one}/letter.pdf", page(letters.pdf)),
        Route(f"{one}/letter.png", page(letters.png)),
        Route("/portfolio", page(portfolio.show, policy=True)),
        Route("/sign-ins", page(signing_in.show_sign_ins, policy=True)),
        Route("/glossary", page(reading.show_glossary)),
        Route("/sign-in", page(signing_in.show, public=True), methods=["GET"]),
        Route("/sign-in", page(signing_in.sign_in, public=True), methods=["POST"]),
        Route("/sign-out", page(signing_in.sign_out), methods=["POST"]),
        Route("/language/{language}", page(signing_in.choose_language, public=True)),
        Route("/assets/{name}", desk.pages.asset),
        Route("/{path:path}", page(reading.show_nothing)),
    ]
    settings = desk.settings
    hosts = _LOOPBACK.values() if settings.host in _LOOPBACK and not settings.proxy_header else ("*",)
    application = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders, https=settings.https),
            # A page of another site that a name server leads to this machine has another name
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
        ],
    )
    application.state.desk = desk
    return application
