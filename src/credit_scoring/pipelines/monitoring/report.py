"""The drift report: one HTML page that needs nothing but itself."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.features.catalogue import find_feature
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.stability import CURRENT, REFERENCE, count_bins
from credit_scoring.pipelines.monitoring.nodes import (
    DECISION,
    HOLDOUT,
    MODEL,
    NEW,
    OTHER,
    PROBABILITY,
    SCORE,
    STABLE,
    TRAIN,
    compared,
)
from credit_scoring.pipelines.monitoring.options import MonitoringOptions
from credit_scoring.scorer import GRANTED, REFUSED

_N_DRAWN = 12
_MAX_CATEGORIES = 7
_WIDTH, _HEIGHT, _BASE, _LEFT = 460, 186, 122, 28
_LABELS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Surveillance de la population",
        "stable": "Stable",
        "watch": "À surveiller",
        "drift": "Dérive",
        "stable_means": "Les nouvelles demandes ressemblent à celles qui ont servi à l'entraînement.",
        "watch_means": "Des variables se sont écartées de l'entraînement. Rien n'impose d'agir, mais il faut regarder.",
        "drift_means": "La population n'est plus celle de l'entraînement : probabilités et seuil sont à vérifier sur "
        "des issues récentes avant de s'y fier.",
        "reference": "référence",
        "new": "nouvelles demandes",
        "applicants": "Demandes comparées",
        "against": "contre {train} d'entraînement et {holdout} de test",
        "variables": "Variables qui dérivent",
        "of_watched": "{watch} à surveiller, {stable} stables",
        "mean": "Probabilité de défaut moyenne",
        "refusals": "Part de refus",
        "instead_of": "{reference} en référence",
        "score_title": "Score et décision",
        "changed": "Ce qui a changé",
        "nothing": "Aucune variable ne s'est écartée plus que le hasard ne l'explique.",
        "not_drawn": "{n} autres variables sont dans le tableau.",
        "all": "Toutes les variables ({n})",
        "variable": "variable",
        "status": "état",
        "expected": "PSI attendu",
        "missing": "manquants",
        "gap": "écart KS",
        "means": "moyenne",
        "unseen": "catégories nouvelles : {}",
        "psi_is": "PSI {psi} (hasard : {expected})",
        "ks_is": "écart KS {ks}",
        "missing_is": "manquants : {before} → {after}",
        "new_categories_is": "{share} dans des catégories nouvelles",
        "other_role": "hors modèle",
        PROBABILITY: "Probabilité de défaut",
        "decision": "Décision",
        GRANTED: "accordé",
        REFUSED: "refusé",
        "null": "manquant",
        "others": "autres",
        "how": "Comment lire",
        "how_text": "L'indice de stabilité (PSI) compare les répartitions par déciles de la référence. L'usage lit "
        "moins de {watch} comme stable et plus de {drift} comme un décalage. Deux échantillons d'une même population "
        "ont en moyenne un PSI de (classes − 1) × (1/n + 1/m) : il est retranché avant de comparer aux limites. "
        "L'écart KS est la plus grande distance entre les fonctions de répartition (limites {ks_watch} et {ks_drift}). "
        "Comptent aussi le changement de la part de manquants ({missing_watch} et {missing_drift}) et la part de "
        "demandes dans des catégories que l'entraînement n'avait pas ({new_watch} et {new_drift}). "
        "Une mesure ne compte que si elle dépasse sa limite et que le hasard ne l'explique pas ; les tests de toutes "
        "les variables sont jugés ensemble, de sorte qu'au plus {false_alarms} des alertes soient fausses en moyenne. "
        "Scores et décisions sont comparés à l'échantillon de test, dont le modèle n'a pas appris. Une variable hors "
        "modèle ne vaut jamais plus qu'« à surveiller » dans le verdict.",
        "synthetic": "Données synthétiques : ce rapport ne dit rien de clients réels.",
        "origin": "données : {source} · modèle : {model_id}",
    },
    "en": {
        "title": "Population monitoring",
        "stable": "Stable",
        "watch": "Watch",
        "drift": "Drift",
        "stable_means": "The new applications are like those the model was trained on.",
        "watch_means": "Some variables have moved away from training. Nothing forces you to act, but look at them.",
        "drift_means": "The population is no longer that of training: check probabilities and threshold on recent "
        "outcomes before relying on them.",
        "reference": "reference",
        "new": "new applications",
        "applicants": "Applications compared",
        "against": "against {train} of training and {holdout} of the hold-out",
        "variables": "Variables that drift",
        "of_watched": "{watch} to watch, {stable} stable",
        "mean": "Mean probability of default",
        "refusals": "Share refused",
        "instead_of": "{reference} in the reference",
        "score_title": "Score and decision",
        "changed": "What has changed",
        "nothing": "No variable has moved by more than chance explains.",
        "not_drawn": "{n} more variables are in the table.",
        "all": "All variables ({n})",
        "variable": "variable",
        "status": "status",
        "expected": "expected PSI",
        "missing": "missing",
        "gap": "KS gap",
        "means": "mean",
        "unseen": "new categories: {}",
        "psi_is": "PSI {psi} (chance: {expected})",
        "ks_is": "KS gap {ks}",
        "missing_is": "missing: {before} → {after}",
        "new_categories_is": "{share} in new categories",
        "other_role": "not in the model",
        PROBABILITY: "Probability of default",
        "decision": "Decision",
        GRANTED: "granted",
        REFUSED: "refused",
        "null": "missing",
        "others": "others",
        "how": "How to read this",
        "how_text": "The stability index (PSI) compares distributions over the deciles of the reference. Custom reads "
        "less than {watch} as stable and more than {drift} as a shift. Two samples of one population have a PSI of "
        "(bins − 1) × (1/n + 1/m) on average: it is taken off before limits are applied. The KS gap is the largest "
        "distance between the distribution functions (limits {ks_watch} and {ks_drift}). The change of the share of "
        "missing values counts too ({missing_watch} and {missing_drift}), and so does the share of applications in "
        "categories that training did not have ({new_watch} and {new_drift}). A measure counts only if it reaches its "
        "limit and chance does not explain it; the tests of all variables are judged together, so that at most "
        "{false_alarms} of the alarms are false on average. Scores and decisions are compared with the hold-out, which "
        "the model has not learnt from. A variable that the model does not use is never worth more than “watch” in the "
        "verdict.",
        "synthetic": "Synthetic data: this report says nothing about real clients.",
        "origin": "data: {source} · model: {model_id}",
    },
}
_STYLE = """
:root{--ink:#1c2733;--soft:#5b6875;--line:#e3e7ec;--reference:#9fb3c8;--new:#1f4e79;--stable:#2e7d4f;--watch:#b26a00;
--drift:#b3261e}*{box-sizing:border-box}body{font:15px/1.5 system-ui,"Segoe UI",Helvetica,Arial,sans-serif;
color:var(--ink);background:#f5f7f9;margin:0}main{max-width:1080px;margin:0 auto;padding:28px 24px 60px}
h1{font-size:25px;margin:0 0 2px}h2{font-size:18px;margin:34px 0 12px}.soft{color:var(--soft)}
.verdict{border-left:7px solid;border-radius:8px;background:#fff;padding:16px 20px;margin:18px 0;font-size:16px}
.verdict b{font-size:21px;display:block}.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:14px}
.tile,.card{background:#fff;border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.tile strong{display:block;font-size:24px;line-height:1.25}.tile span{font-size:13px;color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(2,1fr);gap:14px}.card h3{font-size:15px;margin:0;line-height:1.35}
.card p{margin:2px 0 6px;font-size:13px;color:var(--soft)}.card svg{width:100%;height:auto;display:block}
.badge{display:inline-block;border-radius:10px;padding:0 9px;font-size:12px;color:#fff;white-space:nowrap}
.stable{border-color:var(--stable)}.badge.stable{background:var(--stable)}.watch{border-color:var(--watch)}
.badge.watch{background:var(--watch)}.drift{border-color:var(--drift)}.badge.drift{background:var(--drift)}
.note{background:#fff6dd;border:1px solid #ecd9a0;border-radius:6px;padding:6px 12px;margin:10px 0}
.legend{margin-bottom:8px}.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:5px}
.legend span{margin-right:16px}
table{border-collapse:collapse;width:100%;background:#fff;font-size:13px}th,td{padding:5px 9px;text-align:right;
border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}th:first-child,td:first-child{text-align:left;
white-space:normal}th{color:var(--soft);font-weight:600}summary{cursor:pointer;font-size:18px;font-weight:600;
margin:34px 0 12px}small{color:var(--soft)}@media(max-width:760px){.tiles,.cards{grid-template-columns:1fr}}
@media print{body{background:#fff}.card{break-inside:avoid}}
"""


def write_drift_report(
    drift_verdict: dict[str, Any],
    variable_drift: pd.DataFrame,
    monitored_applicants: pd.DataFrame,
    monitored_scores: pd.DataFrame,
    monitoring: MonitoringOptions,
    figures: FigureOptions,
) -> str:
    """Write the page: verdict, key figures, score and decision, the variables that moved most, a table of all."""
    words, sizes, verdict = _LABELS[figures.language], drift_verdict["applicants"], drift_verdict["verdict"]
    columns = variable_drift[variable_drift["role"].isin([MODEL, OTHER])]
    summed_up = variable_drift.set_index("role", drop=False).loc[[SCORE, DECISION]].to_dict("records")
    moved = columns[columns["status"] != STABLE]

    def card(row: Mapping[str, Any]) -> str:
        pair = compared(monitored_applicants, monitored_scores, row["variable"])
        return _card(row, _draw(row["variable"], *pair, monitoring, figures), figures)

    drawn = moved.head(_N_DRAWN).to_dict("records")
    left = len(moved) - len(drawn)
    number = {sample: figures.number(f"{sizes[sample]:,}") for sample in (TRAIN, HOLDOUT, NEW)}
    counted = drift_verdict["variables"]
    tiles = (
        (words["applicants"], number[NEW], words["against"].format(train=number[TRAIN], holdout=number[HOLDOUT])),
        (words["variables"], str(counted["drift"]), words["of_watched"].format(**counted)),
        *(
            (title, figures.percent(after), words["instead_of"].format(reference=figures.percent(before)))
            for title, before, after in (
                (words["mean"], drift_verdict["score"]["reference_mean"], drift_verdict["score"]["new_mean"]),
                (words["refusals"], *(drift_verdict["refused_share"][side] for side in (REFERENCE, NEW))),
            )
        ),
    )
    how = words["how_text"].format(
        watch=figures.number(f"{monitoring.psi.watch:g}"),
        drift=figures.number(f"{monitoring.psi.drift:g}"),
        ks_watch=figures.number(f"{monitoring.ks.watch:g}"),
        ks_drift=figures.number(f"{monitoring.ks.drift:g}"),
        missing_watch=figures.percent(monitoring.missing.watch, 0),
        missing_drift=figures.percent(monitoring.missing.drift, 0),
        new_watch=figures.percent(monitoring.new_categories.watch),
        new_drift=figures.percent(monitoring.new_categories.drift),
        false_alarms=figures.percent(monitoring.false_alarms, 0),
    )
    origin = words["origin"].format(**drift_verdict)
    legend = "".join(
        f'<i style="background:var(--{side})"></i><span>{words[side]}</span>' for side in ("reference", "new")
    )
    parts = [
        f"<!doctype html><html lang={figures.language}><head><meta charset=utf-8>",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{words['title']}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{words['title']}</h1><div class=soft>{html.escape(origin)}</div>",
        f"<div class=note>{words['synthetic']}</div>" if drift_verdict["source"] == "synthetic" else "",
        f'<div class="verdict {verdict}"><b>{words[verdict]}</b>{words[f"{verdict}_means"]}</div>',
        "<div class=tiles>",
        *(f"<div class=tile>{title}<strong>{value}</strong><span>{note}</span></div>" for title, value, note in tiles),
        f"</div><h2>{words['score_title']}</h2><div class='soft legend'>{legend}</div><div class=cards>",
        *(card(row) for row in summed_up),
        f"</div><h2>{words['changed']}</h2>",
        f"<div class=cards>{''.join(map(card, drawn))}</div>" if drawn else f"<p>{words['nothing']}</p>",
        f"<p class=soft>{words['not_drawn'].format(n=left)}</p>" if left else "",
        f"<h2>{words['how']}</h2><p>{how}</p>",
        f"<details><summary>{words['all'].format(n=len(columns))}</summary>{_table(columns, figures)}</details>",
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _card(row: Mapping[str, Any], chart: str, figures: FigureOptions) -> str:
    words = _LABELS[figures.language]
    facts = [words["psi_is"].format(psi=_decimal(row["psi"], figures), expected=_decimal(row["psi_expected"], figures))]
    why = row["why"].split()
    if "ks" in why:
        facts.append(words["ks_is"].format(ks=_decimal(row["ks"], figures)))
    if "missing" in why:
        facts.append(
            words["missing_is"].format(
                before=figures.percent(row["reference_missing"]), after=figures.percent(row["new_missing"])
            )
        )
    if "new_categories" in why:
        facts.append(words["new_categories_is"].format(share=figures.percent(row["new_categories"])))
        facts.append(words["unseen"].format(html.escape(row["unseen"])))
    if row["role"] == OTHER:
        facts.append(words["other_role"])
    badge = f'<span class="badge {row["status"]}">{words[row["status"]]}</span>'
    title = html.escape(_label(row["variable"], figures))
    return f"<div class=card><h3>{title} {badge}</h3><p>{' · '.join(facts)}</p>{chart}</div>"


def _table(columns: pd.DataFrame, figures: FigureOptions) -> str:
    words = _LABELS[figures.language]
    head = (
        words["variable"],
        words["status"],
        "PSI",
        words["expected"],
        words["gap"],
        words["missing"],
        words["means"],
    )
    lines = []
    for row in columns.to_dict("records"):
        role = f" · {words['other_role']}" if row["role"] == OTHER else ""
        missing = f"{figures.percent(row['reference_missing'])} → {figures.percent(row['new_missing'])}"
        known = not np.isnan(row["reference_mean"]) and not np.isnan(row["new_mean"])
        cells = (
            f"{html.escape(_label(row['variable'], figures))}<br><small>{row['variable']}{role}</small>",
            f'<span class="badge {row["status"]}">{words[row["status"]]}</span>',
            _decimal(row["psi"], figures),
            _decimal(row["psi_expected"], figures),
            _decimal(row["ks"], figures),
            missing if row["reference_missing"] or row["new_missing"] else "",
            f"{_short(row['reference_mean'], figures)} → {_short(row['new_mean'], figures)}" if known else "",
        )
        lines.append(_line("td", cells))
    return f"<table><thead>{_line('th', head)}</thead><tbody>{''.join(lines)}</tbody></table>"


def _line(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def _draw(
    variable: str, reference: pd.Series, new: pd.Series, monitoring: MonitoringOptions, figures: FigureOptions
) -> str:
    """Draw the shares of the bins of a variable side by side, as SVG."""
    counts = count_bins(reference, new, monitoring.n_bins)
    labels = _bin_labels(counts, variable, figures)
    if not pd.api.types.is_numeric_dtype(reference):
        counts, labels = _few_categories(counts, labels, _LABELS[figures.language]["others"])
    shares = counts / counts.sum()
    top = float(shares.to_numpy().max())
    step = (_WIDTH - 2 * _LEFT) / len(shares)
    width = min(step * 0.42, 46)
    marks = []
    for i, (label, (old, now)) in enumerate(zip(labels, shares[[REFERENCE, CURRENT]].to_numpy(), strict=True)):
        middle = _LEFT + step * (i + 0.5)
        hover = f"{label}: {figures.percent(old)} → {figures.percent(now)}"
        marks.append(f"<g><title>{html.escape(hover)}</title>")
        for side, share, x in (("reference", old, middle - width), ("new", now, middle)):
            height = (_BASE - 18) * share / top
            marks.append(
                f'<rect x="{x:.1f}" y="{_BASE - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'fill="var(--{side})"/>'
            )
        shown = html.escape(label if len(label) <= 18 else f"{label[:17]}…")
        marks.append(
            f'<text x="{middle + 4:.1f}" y="{_BASE + 14}" font-size="10.5" fill="#5b6875" text-anchor="end" '
            f'transform="rotate(-32 {middle + 4:.1f} {_BASE + 14})">{shown}</text></g>'
        )
    axis = f'<path d="M{_LEFT} {_BASE}H{_WIDTH - _LEFT}" stroke="#c3ccd5"/>'
    scale = f'<text x="{_LEFT}" y="11" font-size="10.5" fill="#5b6875">{figures.percent(top, 0)}</text>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{scale}{axis}{"".join(marks)}</svg>'


def _bin_labels(counts: pd.DataFrame, variable: str, figures: FigureOptions) -> list[str]:
    words = _LABELS[figures.language]
    if not pd.api.types.is_numeric_dtype(counts.index.dtype):
        return [words["null"] if pd.isna(name) else words.get(str(name), str(name)) for name in counts.index]

    def written(value: float) -> str:
        return figures.percent(value) if variable == PROBABILITY else _short(value, figures)

    ends = [float(end) for end in counts.index if np.isfinite(end)]
    last = f"> {written(ends[-1])}" if ends else ""
    return [
        words["null"] if np.isnan(end) else (last if np.isinf(end) else f"≤ {written(end)}") for end in counts.index
    ]


def _few_categories(counts: pd.DataFrame, labels: list[str], others: str) -> tuple[pd.DataFrame, list[str]]:
    """Keep the largest categories, largest first, and add the other ones up."""
    ordered = counts.assign(label=labels).sort_values([REFERENCE, CURRENT], ascending=False, kind="stable")
    kept, rest = ordered.head(_MAX_CATEGORIES), ordered.iloc[_MAX_CATEGORIES:]
    if len(rest):
        kept = pd.concat([kept, pd.DataFrame([{**rest[[REFERENCE, CURRENT]].sum(), "label": others}])])
    return kept[[REFERENCE, CURRENT]], list(kept["label"])


def _label(variable: str, figures: FigureOptions) -> str:
    return _LABELS[figures.language].get(variable) or find_feature(variable).describe(figures.language)


def _decimal(value: float, figures: FigureOptions) -> str:
    return "" if np.isnan(value) else figures.number(f"{value:.3f}")


def _short(value: float, figures: FigureOptions) -> str:
    if abs(value) >= 1000 or value == round(value):
        return figures.number(f"{value:,.0f}")
    return figures.number(f"{value:.3g}")
