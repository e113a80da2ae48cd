"""The dossier of one client: decision, reasons, what weighed, where the client stands among others."""

import logging
import textwrap
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from credit_scoring.errors import UnknownClientError
from credit_scoring.explanations import sum_by_cause
from credit_scoring.figures import PALETTE, Axes, Figure, FigureOptions, new_figure
from credit_scoring.markdown import markdown_templates
from credit_scoring.models.row_models import HistoryRows
from credit_scoring.pipelines.explainability.nodes import draw_client, explain_clients
from credit_scoring.pipelines.explainability.options import DossierOptions
from credit_scoring.reasons import AGAINST, FOR, ReasonBook, join_reasons
from credit_scoring.scorer import GRANTED, REFUSED, CreditScorer
from credit_scoring.texts import LANGUAGES

logger = logging.getLogger(__name__)
_TEMPLATES = markdown_templates(__file__)


def select_client(applicant_features: ir.Table, client_id: int | None) -> tuple[ir.Table, ir.Table]:
    """Pick the row of one client, and say which clients there are.

    Returns:
        The features of the client, one row or none; and one row with `clients`, `first` and `last` id.

    Raises:
        ValueError: If no id is given, or it is no whole number.
    """
    if not isinstance(client_id, int) or isinstance(client_id, bool):
        raise ValueError(
            f"Which client? Expected the id of one (SK_ID_CURR), got {client_id!r}.\n"
            "Hint: kedro run --pipelines explain_client --params client_id=100002"
        )
    ids = applicant_features.SK_ID_CURR
    known = applicant_features.aggregate(clients=ids.count(), first=ids.min(), last=ids.max())
    return applicant_features.filter(ids == client_id), known


def compile_dossier(
    client_features: pd.DataFrame,
    known_clients: pd.DataFrame,
    client_id: int,
    credit_scorer: CreditScorer,
    dossier: DossierOptions,
    history_rows: HistoryRows,
) -> dict[str, Any]:
    """Decide on the client with the exported scorer and gather all that there is to say.

    Returns:
        What `explain_clients` says, its `gaps` by language, and `learnt_from` (whether the model's
        training rows hold the client; null if nothing says so), `review` (band in which a person should look, or null),
        `in_review`, `calibrated_margin` (whether contributions add up to the calibrated
        probability), `reasons` by language, `peers` (the number that speaks for each of the heaviest causes: value, and
        the shares of granted and of refused clients below it).

    Raises:
        UnknownClientError: If there is no such client; tells how many there are, from which id to which, in what file.
        ValueError: If the scorer was made without a reason book.
    """
    if client_features.empty:
        known = known_clients.iloc[0]
        raise UnknownClientError(
            f"No client {client_id}: {dossier.file} holds {known['clients']:,} clients with ids from {known['first']} "
            f"to {known['last']}.\nHint: kedro run --pipelines explain_client --params client_id={known['first']}"
        )
    client_features = credit_scorer.row_models.complete(client_features, history_rows)
    (client,) = explain_clients(credit_scorer, client_features)
    review, probability = credit_scorer.decision_policy.get("review"), client["probability_default"]
    told = {
        language: credit_scorer.predict(client_features, {"explain": True, "language": language}).iloc[0]
        for language in LANGUAGES
    }
    logger.info("The dossier of client %d: %s, .png and .json", client_id, f"{dossier.dossier}.md")
    return {
        **client,
        "gaps": {language: answer["gaps"] for language, answer in told.items()},
        "learnt_from": _is_learnt_from(client_features),
        "review": review,
        "in_review": bool(review and review["low"] <= probability < review["high"]),
        "calibrated_margin": credit_scorer.calibration.method != "isotonic",
        "reasons": {language: answer["reasons"] for language, answer in told.items()},
        "peers": _place_among_peers(client, credit_scorer.reasons(), dossier.n_peers),
    }


def _is_learnt_from(client_features: pd.DataFrame) -> bool | None:
    if "SPLIT" in client_features:
        return bool((client_features["SPLIT"] == "train").item())
    return None if client_features["TARGET"].notna().item() else False


def write_dossier(client_dossier: dict[str, Any], figures: FigureOptions, source: str) -> str:
    """Write the dossier as Markdown, in the language of the figures."""
    return _TEMPLATES.get_template("dossier.md.jinja").render(
        client=client_dossier,
        gaps=client_dossier["gaps"][figures.language],
        reasons={
            effect: join_reasons(client_dossier["reasons"][figures.language], effect)
            for effect in ((FOR, AGAINST) if client_dossier["decision"] == GRANTED else (AGAINST, FOR))
        },
        language=figures.language,
        say=figures.say,
        percent=figures.percent,
        number=figures.number,
        source=source,
    )


def plot_dossier(client_dossier: dict[str, Any], dossier: DossierOptions, figures: FigureOptions) -> Figure:
    """Draw what weighed for and against the client, and where the client stands among granted and refused ones."""
    peers = client_dossier["peers"]
    n_bars = dossier.n_bars + 1
    figure = new_figure(figsize=(10, 0.42 * n_bars + 0.48 * max(len(peers), 1) + 2.6))
    bars, places = figure.subplots(2, 1, height_ratios=[0.42 * n_bars, 0.48 * max(len(peers), 1) + 0.4])
    draw_client(bars, {"kind": client_dossier["decision"], **client_dossier}, dossier.n_bars, figures)
    bars.set_xlabel(figures.say("common.related"))
    _draw_places(places, peers, figures)
    return figures.finish(figure, figures.say("customer_file.title", id=client_dossier["client_id"]))


def _draw_places(axes: Axes, peers: list[dict[str, Any]], figures: FigureOptions) -> None:
    rows = np.arange(len(peers))[::-1]
    axes.hlines(rows, 0, 1, color="0.85", lw=4)
    for side, color in ((GRANTED, PALETTE["main"]), (REFUSED, PALETTE["second"])):
        shares = [peer[f"below_{side}"] for peer in peers]
        label = figures.say(f"customer_file.peers_of.{side}")
        axes.plot(shares, rows, "o", ms=9, color=color, alpha=0.85, label=label, clip_on=False)
    names = [
        textwrap.fill(
            figures.say(
                "reasons.sentence", label=peer[f"label_{figures.language}"], value=peer[f"shown_{figures.language}"]
            ),
            62,
        )
        for peer in peers
    ]
    axes.set_yticks(rows, names, fontsize=8.5)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(peers) - 0.4), xlabel=figures.say("customer_file.peers_x"))
    axes.set_title(figures.say("customer_file.peers"))
    axes.xaxis.set_major_formatter(figures.percent_axis())
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    axes.legend(loc="upper right", bbox_to_anchor=(-0.02, 0.02))


def _place_among_peers(client: dict[str, Any], book: ReasonBook, n_peers: int) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = []
    for entry, _ in sum_by_cause(client["contributions"]):
        name, value = entry["feature"], entry["value"]
        comparable = name in book.granted.numbers and name in book.refused.numbers
        if not comparable or not isinstance(value, float) or len(places) == n_peers:
            continue
        unit = next(column.unit for column in book.columns if column.name == name)
        shares = {}
        for side, peers in ((GRANTED, book.granted), (REFUSED, book.refused)):
            below, _, above = peers.shares_around(name, np.array([value]))
            shares[f"below_{side}"] = float((above if unit == "elapsed_days" else below)[0])
        kept = {key: text for key, text in entry.items() if key.startswith(("label_", "shown_", "feature"))}
        places.append(kept | {"value": value} | shares)
    return places
