"""The dossier of one applicant: decision, reasons, what weighed, where the applicant stands among others."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from credit_scoring.decisions import Decider
from credit_scoring.desk.proposals import is_in_band
from credit_scoring.explanations import explain_clients, heaviest_causes, sum_by_cause
from credit_scoring.figures import PALETTE
from credit_scoring.markdown import markdown_templates
from credit_scoring.reasons import AGAINST, FOR, ReasonBook, add_points, join_reasons, round_down
from credit_scoring.scorer import GRANTED, REFUSED, CreditScorer
from credit_scoring.texts import LANGUAGES, Language, Texts, fold

_TEMPLATES = markdown_templates(__file__)
_N_BARS, _N_PEERS = 10, 6
# Of the figure, in pixels: names end where bars and places begin
_WIDTH, _LEFT, _RIGHT = 960, 470, 890
_LINE, _HEAD, _FOOT = 15, 64, 54
_NAME_LENGTH = 66


class Row(NamedTuple):
    """A row of the figure: the lines of its name, and where their middle is."""

    name: list[str]
    y: float


class Bar(NamedTuple):
    """What a cause adds: its row, where its bar begins, how long it is, its colour and the number at its end."""

    row: Row
    x: float
    width: float
    colour: str
    number: str


class Place(NamedTuple):
    """Where the applicant stands: a row, and the places of the shares of approved and declined customers below."""

    row: Row
    granted: float
    refused: float


def compile_dossier(
    tables: Mapping[str, Any],
    scorer: CreditScorer,
    decider: Decider,
    *,
    learnt_from: bool | None = None,
    counterfactual: Language | None = None,
) -> dict[str, Any]:
    """Decide on an applicant as `/decisions` does, and gather all that there is to say.

    Args:
        tables: Raw tables of the applicant, as `/decisions` takes them.
        scorer: The scorer.
        decider: What decides by it from raw tables.
        learnt_from: Whether the model's training rows hold the applicant; null if it is not known.
        counterfactual: Language in which the smallest change is told that leads to approval; null to look for none.

    Returns:
        What `explain_clients` says; what `/decisions` answers (`probability_default`, `decision`, `threshold`,
        `review_band`, `rows_dropped`, perhaps `counterfactual`), its `gaps` and `reasons` by language; `learnt_from`,
        `in_review` (in the review band), `calibrated_margin` (whether contributions add up to the calibrated
        probability), `peers` (the number that speaks for each of the heaviest causes: value, and the shares of granted
        and of refused clients below it).

    Raises:
        InputError: If the tables are not in order.
        ValueError: If the scorer was made without a reason book.
    """
    told = {}
    for language in LANGUAGES:
        search = {"counterfactual": True} if language == counterfactual else {}
        (told[language],) = decider.decide([{**tables, **search, "params": {"explain": True, "language": language}}])
    (client,) = explain_clients(scorer, decider.tabulate([tables]))
    answer = told[counterfactual or LANGUAGES[0]]
    return {
        **client,
        **{name: value for name, value in answer.items() if name != "SK_ID_CURR"},
        "gaps": {language: one["gaps"] for language, one in told.items()},
        "reasons": {language: one["reasons"] for language, one in told.items()},
        "learnt_from": learnt_from,
        "in_review": is_in_band(answer),
        "calibrated_margin": scorer.calibration.method != "isotonic",
        "peers": _place_among_peers(client, scorer.reasons()),
    }


def _place_among_peers(client: Mapping[str, Any], book: ReasonBook) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = []
    for entry, _ in sum_by_cause(client["contributions"]):
        name, value = entry["feature"], entry["value"]
        comparable = name in book.granted.numbers and name in book.refused.numbers
        if not comparable or not isinstance(value, float) or len(places) == _N_PEERS:
            continue
        unit = next(column.unit for column in book.columns if column.name == name)
        shares = {}
        for side, peers in ((GRANTED, book.granted), (REFUSED, book.refused)):
            below, _, above = peers.shares_around(name, np.array([value]))
            shares[f"below_{side}"] = float((above if unit == "elapsed_days" else below)[0])
        kept = {key: text for key, text in entry.items() if key.startswith(("label_", "shown_", "feature"))}
        places.append(kept | {"value": value} | shares)
    return places


def write_dossier(dossier: Mapping[str, Any], texts: Texts, figure: str, is_synthetic: bool) -> str:
    """Write the dossier as Markdown, in one language.

    Args:
        dossier: What `compile_dossier` gives.
        texts: The catalogue of the language.
        figure: Name of the file of its figure, which lies beside it.
        is_synthetic: Whether the applicant does not exist, which is said.
    """
    language = texts.language
    order = (FOR, AGAINST) if dossier["decision"] == GRANTED else (AGAINST, FOR)
    return _TEMPLATES.get_template("dossier.md.jinja").render(
        client=dossier,
        decision=_tell_decision(dossier, texts),
        gaps=dossier["gaps"][language],
        reasons={effect: join_reasons(dossier["reasons"][language], effect) for effect in order},
        figure=figure,
        is_synthetic=is_synthetic,
        language=language,
        say=texts.say,
        percent=lambda share: texts.percent(round_down(share), 0),
        number=texts.number,
    )


def draw_dossier(dossier: Mapping[str, Any], texts: Texts, is_synthetic: bool) -> str:
    """Draw what weighed for and against the applicant, and the place among approved and declined customers, as SVG."""
    bars, zero, low = _lay_out_bars(dossier, texts)
    places, end = _lay_out_places(dossier["peers"], texts, low + _FOOT + _LINE * 2)
    return _TEMPLATES.get_template("dossier.svg.jinja").render(
        title=texts.say("customer_file.title", id=dossier["client_id"]),
        subtitle=_tell_decision(dossier, texts).replace("**", ""),
        bars=bars,
        zero=zero,
        low=low,
        places=places,
        end=end,
        ticks=[(_across(share), texts.percent(share, 0)) for share in (0, 0.25, 0.5, 0.75, 1)],
        width=_WIDTH,
        left=_LEFT,
        right=_RIGHT,
        line=_LINE,
        height=end + _FOOT,
        palette=PALETTE,
        is_synthetic=is_synthetic,
        say=texts.say,
    )


def _lay_out_bars(dossier: Mapping[str, Any], texts: Texts) -> tuple[list[Bar], float, float]:
    """Return the bars of the heaviest causes, where zero is, and where the last one ends."""
    top, n_others, rest = heaviest_causes(dossier["contributions"], _N_BARS)
    names = [_name(entry, texts) for entry, _ in top]
    weights = [weight for _, weight in top]
    if n_others:
        names.append([texts.say("explanations.others", n=n_others)])
        weights.append(rest)
    rows, low = _lay_out_rows(names, _HEAD)
    least, most = min(0.0, *weights), max(0.0, *weights)
    # Numbers have room at both ends
    start, scale = _LEFT + 50, (_RIGHT - _LEFT - 100) / ((most - least) or 1.0)
    zero = start - least * scale
    points = dossier["points_per_log_odds"]
    bars = []
    for row, weight in zip(rows, weights, strict=True):
        number = texts.number(weight, "+.2f")
        if points is not None:
            number = add_points(number, -points * weight, texts.language)
        colour = PALETTE["second" if weight > 0 else "main"]
        bars.append(Bar(row, zero + min(weight, 0) * scale, abs(weight) * scale, colour, number))
    return bars, zero, low


def _lay_out_places(peers: list[dict[str, Any]], texts: Texts, top: float) -> tuple[list[Place], float]:
    rows, end = _lay_out_rows([_name(peer, texts) for peer in peers], top)
    return [
        Place(row, _across(peer["below_granted"]), _across(peer["below_refused"]))
        for row, peer in zip(rows, peers, strict=True)
    ], end


def _lay_out_rows(names: list[list[str]], top: float) -> tuple[list[Row], float]:
    """Return a row for each name, as high as its lines, and where the last one ends."""
    rows = []
    for name in names:
        height = _LINE * len(name) + 9
        rows.append(Row(name, top + height / 2))
        top += height
    return rows, top


def _tell_decision(dossier: Mapping[str, Any], texts: Texts) -> str:
    return texts.say(
        "customer_file.decision",
        decision=texts.say(f"common.decided.{dossier['decision']}"),
        probability=dossier["probability_default"],
        threshold=dossier["threshold"],
    )


def _name(entry: Mapping[str, Any], texts: Texts) -> list[str]:
    label, value = (entry[f"{part}_{texts.language}"] for part in ("label", "shown"))
    said = texts.say("reasons.sentence", label=label, value=value)
    return fold(said, _NAME_LENGTH).splitlines()


def _across(share: float) -> float:
    return _LEFT + 10 + share * (_RIGHT - _LEFT - 20)
