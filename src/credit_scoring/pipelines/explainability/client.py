"""The dossier of one client: decision, reasons, what weighed, where the client stands among others."""

import textwrap
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from credit_scoring.explanations import sum_by_cause
from credit_scoring.figures import FigureOptions
from credit_scoring.pipelines.explainability.nodes import draw_client, explain_clients
from credit_scoring.pipelines.explainability.options import DossierOptions
from credit_scoring.reasons import AGAINST, FOR, LANGUAGES, ReasonBook, join_reasons
from credit_scoring.scorer import GRANTED, REFUSED, CreditScorer

_LABELS = {
    "fr": {
        "title": "Dossier du client {}",
        GRANTED: "accordé",
        REFUSED: "refusé",
        "decision": "Crédit **{decision}** : la probabilité de défaut estimée est de {p}, le seuil de refus de {t}.",
        "review": "La demande est dans la zone où une personne devrait regarder ({low} à {high}).",
        "calibration": "Les contributions s'additionnent sur la log-cote du score, qui donne la probabilité {how}.",
        "same": "calibrée",
        "before": "avant calibration ; la calibration ne change pas l'ordre des clients",
        "outcome": "L'issue de ce prêt est connue : le modèle a pu apprendre de ce client.",
        AGAINST: "Ce qui a pesé contre",
        FOR: "Ce qui a pesé pour",
        "nothing": "rien de notable",
        "withheld": "Un attribut qui ne peut être un motif (par exemple le sexe ou la situation de famille) a pesé lui "
        "aussi ; il n'est pas cité.",
        "bars_x": "Contribution au risque (log-cote) : à droite, le risque monte",
        "peers": "Parmi les autres clients",
        "peers_x": "Part des clients dont la valeur est plus basse",
        "peer_granted": "parmi les acceptés",
        "peer_refused": "parmi les refusés",
        "table": "| variable | ce client | plus bas chez les acceptés | plus bas chez les refusés |",
        "synthetic": "Données synthétiques : ce client n'existe pas.",
    },
    "en": {
        "title": "Dossier of client {}",
        GRANTED: "granted",
        REFUSED: "refused",
        "decision": "Credit **{decision}**: the estimated probability of default is {p}, refusal begins at {t}.",
        "review": "The application is in the zone where a person should look at it ({low} to {high}).",
        "calibration": "Contributions add up to the log-odds of the score, which gives the probability {how}.",
        "same": "after calibration",
        "before": "before calibration; calibration keeps the order of clients",
        "outcome": "The outcome of this loan is known: the model may have learnt from this client.",
        AGAINST: "What weighed against",
        FOR: "What weighed for",
        "nothing": "nothing of note",
        "withheld": "An attribute that cannot be a reason (such as gender or family status) weighed as well; it is not "
        "named.",
        "bars_x": "Contribution to risk (log-odds): risk rises to the right",
        "peers": "Among the other clients",
        "peers_x": "Share of clients with a lower value",
        "peer_granted": "among the granted",
        "peer_refused": "among the refused",
        "table": "| variable | this client | lower among the granted | lower among the refused |",
        "synthetic": "Synthetic data: this client does not exist.",
    },
}


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
) -> dict[str, Any]:
    """Decide on the client with the exported scorer and gather all that there is to say.

    Returns:
        What `explain_clients` says, and `outcome_known`, `review` (band in which a person should look, or null),
        `in_review`, `calibrated_margin` (whether contributions add up to the calibrated probability), `reasons` by
        language, `withheld`, `peers` (the number that speaks for each of the heaviest causes: value, and the shares of
        granted and of refused clients below it).

    Raises:
        ValueError: If there is no such client; tells how many there are, from which id to which, and in what file.
    """
    if client_features.empty:
        known = known_clients.iloc[0]
        raise ValueError(
            f"No client {client_id}: {dossier.file} holds {known['clients']:,} clients with ids from {known['first']} "
            f"to {known['last']}.\nHint: kedro run --pipelines explain_client --params client_id={known['first']}"
        )
    if credit_scorer.reason_book is None:
        raise ValueError("The exported scorer was made without reasons.\nHint: `kedro run` makes one that has them.")
    (client,) = explain_clients(credit_scorer, client_features)
    review, probability = credit_scorer.decision_policy.get("review"), client["probability_default"]
    contributions, _ = credit_scorer.contributions(client_features)
    return {
        **client,
        "outcome_known": bool(client_features["TARGET"].notna().item()),
        "review": review,
        "in_review": bool(review and review["low"] <= probability < review["high"]),
        "calibrated_margin": credit_scorer.calibration.method != "isotonic",
        "reasons": {
            language: credit_scorer.predict(client_features, {"explain": True, "language": language})["reasons"].item()
            for language in LANGUAGES
        },
        "withheld": bool(credit_scorer.reason_book.withheld(contributions)[0]),
        "peers": _place_among_peers(client, credit_scorer.reason_book, dossier.n_peers),
    }


def write_dossier(client_dossier: dict[str, Any], figures: FigureOptions, source: str) -> str:
    """Write the dossier as Markdown, in the language of the figures."""
    labels, client = _LABELS[figures.language], client_dossier
    lines = [f"# {labels['title'].format(client['client_id'])}", ""]
    if source == "synthetic":
        lines += [f"*{labels['synthetic']}*", ""]
    lines += [_write_decision(client, figures), ""]
    if client["in_review"]:
        bounds = {side: figures.percent(value) for side, value in client["review"].items()}
        lines += [labels["review"].format(**bounds), ""]
    for effect in (AGAINST, FOR):
        told = join_reasons(client["reasons"][figures.language], effect) or [labels["nothing"]]
        lines += [f"## {labels[effect]}", "", *(f"- {text}" for text in told), ""]
    if client["withheld"]:
        lines += [labels["withheld"], ""]
    lines += [f"## {labels['peers']}", "", labels["table"], "|---|---:|---:|---:|"]
    lines += [
        f"| {peer[f'label_{figures.language}']} | {peer[f'shown_{figures.language}']} "
        f"| {figures.percent(peer['below_granted'], 0)} | {figures.percent(peer['below_refused'], 0)} |"
        for peer in client["peers"]
    ]
    how = labels["same" if client["calibrated_margin"] else "before"]
    lines += ["", labels["calibration"].format(how=how)]
    if client["outcome_known"]:
        lines += ["", labels["outcome"]]
    return "\n".join([*lines, ""])


def plot_dossier(client_dossier: dict[str, Any], dossier: DossierOptions, figures: FigureOptions) -> Figure:
    """Draw what weighed for and against the client, and where the client stands among granted and refused ones."""
    labels = _LABELS[figures.language]
    peers = client_dossier["peers"]
    n_bars = dossier.n_bars + 1
    figure = Figure(figsize=(10, 0.42 * n_bars + 0.48 * max(len(peers), 1) + 2.6))
    bars, places = figure.subplots(2, 1, height_ratios=[0.42 * n_bars, 0.48 * max(len(peers), 1) + 0.4])
    draw_client(bars, {"kind": client_dossier["decision"], **client_dossier}, dossier.n_bars, figures)
    bars.set_xlabel(labels["bars_x"])
    _draw_places(places, peers, figures)
    figure.suptitle(labels["title"].format(client_dossier["client_id"]), x=0.01, ha="left", fontsize=13)
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def _draw_places(axes: Axes, peers: list[dict[str, Any]], figures: FigureOptions) -> None:
    labels = _LABELS[figures.language]
    rows = np.arange(len(peers))[::-1]
    axes.hlines(rows, 0, 1, color="0.85", lw=4)
    for side, color in ((GRANTED, "#2471a3"), (REFUSED, "#c0392b")):
        shares = [peer[f"below_{side}"] for peer in peers]
        axes.plot(shares, rows, "o", ms=9, color=color, alpha=0.85, label=labels[f"peer_{side}"], clip_on=False)
    names = [
        textwrap.fill(f"{peer[f'label_{figures.language}']} = {peer[f'shown_{figures.language}']}", 62)
        for peer in peers
    ]
    axes.set_yticks(rows, names, fontsize=8.5)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(peers) - 0.4), xlabel=labels["peers_x"])
    axes.set_title(labels["peers"], loc="left", fontsize=10)
    axes.xaxis.set_major_formatter(figures.percent_axis())
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper right", bbox_to_anchor=(-0.02, 0.02))


def _place_among_peers(client: dict[str, Any], book: ReasonBook, n_peers: int) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = []
    for entry, _ in sum_by_cause(client["contributions"]):
        name, value = entry["feature"], entry["value"]
        comparable = name in book.granted.numbers and name in book.refused.numbers and not entry["forbidden"]
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


def _write_decision(client: dict[str, Any], figures: FigureOptions) -> str:
    labels = _LABELS[figures.language]
    return labels["decision"].format(
        decision=labels[client["decision"]],
        p=figures.percent(client["probability_default"]),
        t=figures.percent(client["threshold"]),
    )
