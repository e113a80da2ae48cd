"""Measure how near the synthetic twin is to the truth: published figures, and the columns of real files when given.

The figures are those of samples of real applicants; several twins are drawn, since chance makes them differ. With
`--real`, every feature of a folder of real files is held against that of a twin: how far each distribution is away,
which effects on TARGET are reversed, and how well a model that was learnt on the twin ranks real applicants.
Run by `make bench`, or with a folder: `python -m benchmarks.twin --real /folder/of/the/files`.
"""

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.harness import DEFAULT_FOLDER, ROOT, make_twin, write_section
from benchmarks.selection import SEED, lightgbm_params, make_model_input
from credit_scoring.features.records import Source
from credit_scoring.features.sources import SOURCES
from credit_scoring.metrics.stability import distribution_gap
from credit_scoring.metrics.uncertainty import Interval, bootstrap_auc
from credit_scoring.models import build_model
from credit_scoring.pipelines.modelling.folds import split_columns
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES

REPORT = ROOT / "docs" / "synthetic_twin.md"
APPLICANTS = 10_000
LEAST_KNOWN = 200
"""Columns that fewer applicants have are left out of the comparison of columns: chance alone would part them."""
SURE = 3.0
"""Standard errors from 0.5 beyond which a real effect counts as one."""
PARENTS = MappingProxyType(
    {
        "bureau_balance": ("bureau", "SK_ID_BUREAU"),
        "POS_CASH_balance": ("previous_application", "SK_ID_PREV"),
        "installments_payments": ("previous_application", "SK_ID_PREV"),
        "credit_card_balance": ("previous_application", "SK_ID_PREV"),
    }
)
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Figure:
    """One figure of the population that the twin should have.

    Attributes:
        name: What it is, in words.
        real: Its value in samples of real applicants, or the value that follows from what a key is.
        error: Standard error of that value.
        chance: Standard error of a twin of 10,000 applicants.
        measure: Computes it from the tables, train applicants alone.
    """

    name: str
    real: float
    error: float
    chance: float
    measure: Callable[[Tables], float]

    def tolerance(self, applicants: float) -> float:
        """Four standard errors of the difference between twins, of so many applicants together, and `real`."""
        return 4 * float(np.hypot(self.error, self.chance * np.sqrt(APPLICANTS / applicants)))


def area_under_curve(target: pd.Series, score: pd.Series) -> float:
    """Probability that a defaulter scores higher than another applicant; missing scores are left out."""
    known = score.notna().to_numpy()
    return float(roc_auc_score(target.to_numpy()[known], score.to_numpy()[known]))


def _age_at_issue(tables: Tables) -> pd.Series:
    """Years from the birth to the issue of the passport."""
    train = tables["application_train"]
    return (train["DAYS_ID_PUBLISH"] - train["DAYS_BIRTH"]) / 365.25


def _issued_at(age: int) -> Callable[[Tables], float]:
    return lambda tables: float(_age_at_issue(tables).between(age, age + 1).mean())


def _issued_before_due(tables: Tables) -> float:
    age = tables["application_train"]["DAYS_BIRTH"] / -365.25
    return float((_age_at_issue(tables) < np.where(age >= 45, 45, 20) - 0.01).mean())


def _by_client(tables: Tables, values: pd.Series) -> pd.Series:
    """One value per client, in the order of the train applicants; null where a client has none."""
    return tables["application_train"]["SK_ID_CURR"].map(values)


def _credits(tables: Tables) -> pd.DataFrame:
    bureau = tables["bureau"]
    return bureau[bureau["SK_ID_CURR"].isin(tables["application_train"]["SK_ID_CURR"])]


def _smallest_gap(tables: Tables) -> float:
    credits_ = _credits(tables).sort_values(["SK_ID_CURR", "DAYS_CREDIT"])
    gaps = credits_.groupby("SK_ID_CURR")["DAYS_CREDIT"].diff()
    return float(gaps.groupby(credits_["SK_ID_CURR"]).min().median())


def _likeness_of_days(tables: Tables) -> float:
    """Intraclass correlation of DAYS_CREDIT (analysis of variance, clients of unequal size)."""
    credits_ = _credits(tables)
    days, of_client = credits_["DAYS_CREDIT"], credits_.groupby("SK_ID_CURR")["DAYS_CREDIT"]
    size, rows = of_client.size(), len(days)
    between = float((size * (of_client.mean() - days.mean()) ** 2).sum()) / (len(size) - 1)
    within = float(((days - of_client.transform("mean")) ** 2).sum()) / (rows - len(size))
    typical = (rows - float((size**2).sum()) / rows) / (len(size) - 1)
    return (between - within) / (between + (typical - 1) * within)


def _payments_due(tables: Tables) -> pd.DataFrame:
    months = tables["credit_card_balance"]
    return months[(months["AMT_INST_MIN_REGULARITY"] > 0) & months["AMT_PAYMENT_CURRENT"].notna()]


def _minimum_missed(tables: Tables) -> float:
    months = _payments_due(tables)
    return float((months["AMT_PAYMENT_CURRENT"] < months["AMT_INST_MIN_REGULARITY"]).mean())


def _minimum_paid(tables: Tables) -> float:
    months = _payments_due(tables)
    return float(np.isclose(months["AMT_PAYMENT_CURRENT"], months["AMT_INST_MIN_REGULARITY"], rtol=1e-6).mean())


def _annuities(tables: Tables) -> pd.Series:
    """Sum of the annuities at other lenders; null where none is reported, 0 where all are reported as 0."""
    return _by_client(tables, tables["bureau"].groupby("SK_ID_CURR")["AMT_ANNUITY"].sum(min_count=1))


def _annuities_rank(tables: Tables) -> float:
    return area_under_curve(tables["application_train"]["TARGET"], _annuities(tables))


def _annuities_and_score(tables: Tables) -> float:
    pair = pd.DataFrame({"sum": _annuities(tables), "score": tables["application_train"]["EXT_SOURCE_3"]})
    return float(pair.corr(method="spearman").iloc[0, 1])


def _rank_of_score(*names: str) -> Callable[[Tables], float]:
    def measure(tables: Tables) -> float:
        train = tables["application_train"]
        return area_under_curve(train["TARGET"], -train[list(names)].mean(axis=1))

    return measure


def _scores_together(tables: Tables) -> float:
    return float(tables["application_train"][["EXT_SOURCE_2", "EXT_SOURCE_3"]].corr(method="spearman").iloc[0, 1])


def _rank_of_key(table: str, key: str) -> Callable[[Tables], float]:
    def measure(tables: Tables) -> float:
        keys = tables[table].groupby("SK_ID_CURR")[key].mean()
        return area_under_curve(tables["application_train"]["TARGET"], _by_client(tables, keys))

    return measure


_EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")

FIGURES = (
    Figure("passports issued at the age of 20", 0.1207, 0.0073, 0.0033, _issued_at(20)),
    Figure("passports issued at the age of 45", 0.2719, 0.0100, 0.0045, _issued_at(45)),
    Figure("passports older than the last birthday of renewal", 0.0, 0.0, 0.0001, _issued_before_due),
    Figure("days between the two closest credits at other lenders, median", 18, 1.2, 1.2, _smallest_gap),
    Figure("likeness of the days of a client's credits (intraclass)", 0.186, 0.006, 0.006, _likeness_of_days),
    Figure("months with less than the minimum paid on a card", 0.079, 0.004, 0.004, _minimum_missed),
    Figure("months with just the minimum paid on a card", 0.311, 0.008, 0.008, _minimum_paid),
    Figure("AUC of the sum of annuities at other lenders", 0.538, 0.022, 0.022, _annuities_rank),
    Figure("rank correlation of that sum with EXT_SOURCE_3", -0.234, 0.020, 0.020, _annuities_and_score),
    Figure("rank correlation of EXT_SOURCE_2 and EXT_SOURCE_3", 0.095, 0.011, 0.011, _scores_together),
    Figure("AUC of EXT_SOURCE_1", 0.655, 0.014, 0.015, _rank_of_score("EXT_SOURCE_1")),
    Figure("AUC of EXT_SOURCE_2", 0.647, 0.009, 0.010, _rank_of_score("EXT_SOURCE_2")),
    Figure("AUC of EXT_SOURCE_3", 0.675, 0.010, 0.011, _rank_of_score("EXT_SOURCE_3")),
    Figure("AUC of the mean of the external scores", 0.708, 0.008, 0.010, _rank_of_score(*_EXTERNAL)),
    Figure("AUC of SK_ID_CURR", 0.5, 0.0, 0.0106, _rank_of_key("application_train", "SK_ID_CURR")),
    Figure("AUC of a client's mean SK_ID_PREV", 0.5, 0.0, 0.0108, _rank_of_key("previous_application", "SK_ID_PREV")),
    Figure("AUC of a client's mean SK_ID_BUREAU", 0.5, 0.0, 0.0115, _rank_of_key("bureau", "SK_ID_BUREAU")),
)
"""Figures of 10,969 real applicants, the passports of 1,997, the smallest gap of 10,000."""


def draw_tables(applicants: int, seed: int) -> Tables:
    """Draw a twin of train applicants, by name of table."""
    chunks = list(generate_twin(SyntheticDataOptions(n_train=applicants, n_test=0, seed=seed)))
    return {
        name: pd.concat([chunk[index] for chunk in chunks], ignore_index=True)
        for index, name in enumerate(OFFICIAL_TABLES)
    }


def describe_figures(twins: list[dict[str, float]]) -> str:
    """Write the table of the figures: the real one, mean and spread of the twins, and how far they are away."""
    drawn = pd.DataFrame(twins)
    lines = [
        f"{len(drawn)} twins of {APPLICANTS:,} train applicants, seeds 0 to {len(drawn) - 1}. Real: samples of real "
        "applicants, with the standard error of the sample; keys tell nothing by construction. Away: distance of the "
        "twins' mean from the real figure in standard errors of the difference: up to 2 is chance, more than 4 unlike.",
        "",
        "| figure | real | twin | standard deviation between twins | away |",
        "|---|---:|---:|---:|---:|",
    ]
    for figure in FIGURES:
        values = drawn[figure.name]
        form = ".1f" if figure.real > 1 else ".4f"
        away = 4 * abs(values.mean() - figure.real) / figure.tolerance(APPLICANTS * len(drawn))
        lines.append(
            f"| {figure.name} | {figure.real:{form}} ± {figure.error:{form}} | {values.mean():{form}} | "
            f"{values.std(ddof=1):{form}} | {away:.1f} |"
        )
    return "\n".join(lines)


def thin(raw: Path, folder: Path, kept: dict[str, float]) -> Path:
    """Keep a share of the rows of some tables, and rows of others only where the row that they belong to was kept."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    keys: dict[str, pd.Series] = {}
    for table in OFFICIAL_TABLES:
        rows = pd.read_csv(raw / f"{table}.csv").sample(frac=kept.get(table, 1.0), random_state=SEED)
        parent, key = PARENTS.get(table, ("", ""))
        if parent in kept:
            rows = rows[rows[key].isin(keys[parent])]
        keys[table] = rows.get("SK_ID_BUREAU" if table == "bureau" else "SK_ID_PREV", pd.Series(dtype=int))
        rows.to_csv(folder / f"{table}.csv", index=False)
    return folder


def compare_columns(twin: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """Compare every numeric feature: source, distance of the distributions, AUC for TARGET in both, and its error.

    The distance is that of Kolmogorov and Smirnov, of the known values. AUCs and errors are null where fewer than 15
    defaulters have a value.
    """
    rows = []
    for name in twin.columns.drop("TARGET"):
        if not pd.api.types.is_numeric_dtype(twin[name]):
            continue
        pair = [frame[[name, "TARGET"]].dropna().astype(float) for frame in (twin, real)]
        if min(len(frame) for frame in pair) < LEAST_KNOWN:
            continue
        source = next((other.name for other in SOURCES if name.startswith(_prefixes(other))), SOURCES[0].name)
        row = {"column": name, "source": source, "gap": distribution_gap(pair[0][name], pair[1][name])}
        for where, frame in zip(("twin", "real"), pair, strict=True):
            bad = int(frame["TARGET"].sum())
            if min(bad, len(frame) - bad) >= 15:
                row[where] = area_under_curve(frame["TARGET"], frame[name])
                row[f"{where} error"] = np.sqrt((1 / bad + 1 / (len(frame) - bad)) / 12)
        rows.append(row)
    columns = ["column", "source", "gap", "twin", "twin error", "real", "real error"]
    return pd.DataFrame(rows, columns=columns).sort_values("gap", ascending=False, ignore_index=True)


def _prefixes(source: Source) -> tuple[str, ...]:
    return tuple(origin.prefix for origin in source.origins)


def reversed_effects(columns: pd.DataFrame) -> pd.DataFrame:
    """Columns whose real effect is sure and whose effect in the twin surely has another sign or is none."""
    effect, error = columns["real"] - 0.5, columns["real error"]
    apart = (columns["real"] - columns["twin"]).abs() / np.hypot(error, columns["twin error"])
    found = (effect.abs() > SURE * error) & (effect * (columns["twin"] - 0.5) < 0) & (apart > SURE)
    return columns[found]


def rank_real_applicants(twin: pd.DataFrame, real: pd.DataFrame) -> dict[str, Interval]:
    """AUC of a boosted model: out of fold on the twin and on real applicants, and on these when learnt on the twin."""
    (X, y), (X_real, y_real) = split_columns(twin), split_columns(real)
    learnt = build_model("lightgbm", lightgbm_params()).fit(X, y)
    scores = {
        "twin, learnt on the twin": (y, _score_out_of_fold(X, y)),
        "real, learnt on real ones": (y_real, _score_out_of_fold(X_real, y_real)),
        "real, learnt on the twin": (y_real, learnt.predict_proba(X_real)[:, 1]),
    }
    return {name: bootstrap_auc(target, score, seed=SEED) for name, (target, score) in scores.items()}


def _score_out_of_fold(X: pd.DataFrame, y: pd.Series) -> np.ndarray:
    score = np.empty(len(y))
    for training, validation in StratifiedKFold(5, shuffle=True, random_state=SEED).split(X, y):
        model = build_model("lightgbm", lightgbm_params()).fit(X.iloc[training], y.iloc[training])
        score[validation] = model.predict_proba(X.iloc[validation])[:, 1]
    return score


def describe_columns(columns: pd.DataFrame, ranks: dict[str, Interval], applicants: int, kept: dict[str, float]) -> str:
    """Write the section that compares columns."""
    held = ", ".join(f"{share:.0%} of {table}" for table, share in kept.items())
    by_source = columns.groupby("source", sort=False)["gap"].agg(["size", "median", lambda gaps: (gaps > 0.1).mean()])
    lines = [
        f"{applicants:,} real applicants and a twin of {APPLICANTS:,}"
        f"{f', of which as few rows were kept as the files have ({held})' if held else ''}. Columns with at least "
        f"{LEAST_KNOWN} known values on both sides: {len(columns)}; median distance (Kolmogorov-Smirnov, known values) "
        f"{columns['gap'].median():.3f}.",
        "",
        "| source | columns | median distance | further than 0.1 |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {size:.0f} | {median:.3f} | {far:.0%} |" for name, size, median, far in by_source.itertuples()),
        "",
        "| AUC on | AUC | 95 % interval |",
        "|---|---:|---:|",
        *(f"| {name} | {auc.estimate:.4f} | {auc.low:.3f} to {auc.high:.3f} |" for name, auc in ranks.items()),
        "",
        "| furthest away | distance |",
        "|---|---:|",
        *(f"| `{row.column}` | {row.gap:.3f} |" for row in columns.head(15).itertuples()),
        "",
    ]
    wrong = reversed_effects(columns)
    sure = int(((columns["real"] - 0.5).abs() > SURE * columns["real error"]).sum())
    names = ", ".join(f"`{row.column}` (AUC {row.real:.3f}, twin {row.twin:.3f})" for row in wrong.itertuples())
    lines.append(
        f"Sure effects on TARGET in the real files ({SURE:.0f} standard errors): {sure}. Reversed in the twin: "
        f"{names or 'none'}."
    )
    return "\n".join(lines)


def main() -> None:
    """Draw twins, measure the figures, compare the columns if real files are given, write the sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="number of twins of the figures; 0: leave them out")
    parser.add_argument("--real", type=Path, help="folder of the eight real CSV files")
    parser.add_argument("--source", default="real files", help="what the report calls them")
    parser.add_argument("--keep", nargs="*", default=[], metavar="TABLE=SHARE", help="shares of rows that they hold")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder")
    arguments = parser.parse_args()
    if arguments.seeds:
        twins = []
        for seed in range(arguments.seeds):
            tables = draw_tables(APPLICANTS, seed)
            twins.append({figure.name: figure.measure(tables) for figure in FIGURES})
        write_section("figures", "Figures of the population", describe_figures(twins), report=REPORT)
    if arguments.real:
        folder = arguments.folder.resolve() / "twin"
        folder.mkdir(parents=True, exist_ok=True)
        kept = {table: float(share) for table, share in (item.split("=") for item in arguments.keep)}
        raw = make_twin(folder, APPLICANTS, 1)
        raw = thin(raw, folder / "thinned", kept) if kept else raw
        twin, real = (make_model_input(path, folder / "project") for path in (raw, arguments.real.resolve()))
        columns = compare_columns(twin.drop(columns="SK_ID_CURR"), real)
        body = describe_columns(columns, rank_real_applicants(twin, real), len(real), kept)
        write_section("columns", f"Columns, beside {arguments.source}", body, report=REPORT)


if __name__ == "__main__":
    main()
