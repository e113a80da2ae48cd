"""From raw files to one row per applicant: contract check, union of the application files, hold-out."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from credit_scoring.datasets.raw_csv import RawFile
from credit_scoring.errors import DataContractError
from credit_scoring.features.history_rows import HISTORIES
from credit_scoring.markdown import markdown_templates
from credit_scoring.models.row_options import RowModelOptions
from credit_scoring.pipelines.data_processing.options import DamageOptions, SplitOptions
from credit_scoring.schemas.quality import Finding, find_orphans, find_shared_keys

logger = logging.getLogger(__name__)

_TEMPLATES = markdown_templates(__file__)
_MAX_LOGGED = 10

# Multipliers of the minimal standard generator and of its revision (Park & Miller, CACM 31(10), 1988; 36(7), 1993).
_PRIME = 2**31 - 1
_MULTIPLIERS = (16807, 48271)


def inspect_raw_tables(damage: DamageOptions, **files: RawFile) -> dict[str, Any]:
    """Compare the raw tables with their contracts and with one another; nothing is refused here.

    Args:
        damage: From which share of the rows on a breach stops the run.
        **files: Name of a raw table, in small letters -> its file.

    Returns:
        `inspected_tables`: the typed tables by name; `data_quality`: rows per table and every finding, what concerns
        the largest share of rows first; `data_quality_report`: the same for people.
    """
    within = [(file, damage.judge(finding)) for file in files.values() for finding in file.findings]
    readable = all(finding.severity == "warning" for _, finding in within)
    found = [*within, *(_across(files, damage) if readable else ())]
    quality = {
        "folder": str(Path(files["application_train"].path).parent),
        "rows": {file.contract.name: file.n_rows for file in files.values()},
        "findings": [
            {"file": Path(file.path).name, **finding.as_record(), "sentence": str(finding)}
            for file, finding in sorted(found, key=lambda pair: -pair[1].share)
        ],
    }
    return {
        "inspected_tables": {name: file.table for name, file in files.items()},
        "data_quality": quality,
        "data_quality_report": _TEMPLATES.get_template("data_quality.md.jinja").render(
            quality=quality, tables=[file.contract for file in files.values()]
        ),
    }


def check_raw_tables(inspected_tables: dict[str, ir.Table], data_quality: dict[str, Any]) -> dict[str, ir.Table]:
    """Let the raw tables pass only if none breaks its contract in structure; tell of everything else.

    Returns:
        The typed tables under `typed_<table>`.

    Raises:
        DataContractError: If any file is missing, unreadable or breaks its contract; names every problem of every file.
    """
    errors, warnings = (
        [f"{one['file']}: {one['sentence']}" for one in data_quality["findings"] if one["severity"] == severity]
        for severity in ("error", "warning")
    )
    for warning in warnings[:_MAX_LOGGED]:
        logger.warning("Data quality: %s", warning)
    if len(warnings) > _MAX_LOGGED:
        logger.warning("Data quality: %d more violations are in the data quality report.", len(warnings) - _MAX_LOGGED)
    if errors:
        known = [one["hint"] for one in data_quality["findings"] if one["severity"] == "error" and one["hint"]]
        general = (
            "put the CSV files side by side in the raw folder (`--params raw_folder=...`), unchanged, "
            "or make a synthetic set with `kedro run --pipelines synthetic_data`. Nothing but the data quality report "
            "was written."
        )
        raise DataContractError(
            f"Raw data in {data_quality['folder']}", errors, "\nHint: ".join([*dict.fromkeys(known), general])
        )
    return {f"typed_{name}": table for name, table in inspected_tables.items()}


def _across(files: Mapping[str, RawFile], damage: DamageOptions) -> Iterator[tuple[RawFile, Finding]]:
    """Compare tables with one another: applicants on both sides, histories of nobody, some rows of strangers."""
    train, test = files["application_train"], files["application_test"]
    parents = {
        "application": train.table.select("SK_ID_CURR").union(test.table.select("SK_ID_CURR")),
        "bureau": files["bureau"].table,
        "previous_application": files["previous_application"].table,
    }
    n_rows = {name: file.n_rows for name, file in files.items()} | {"application": train.n_rows + test.n_rows}
    for file in files.values():
        if other := file.contract.apart_from:
            for finding in find_shared_keys(file.table, files[other.lower()].table, file.contract):
                yield file, finding
        orphans = [
            finding
            for column, (parent, _) in file.contract.parents.items()
            if n_rows[parent]  # of an empty table it is told that it is empty, not that all rows lack a parent
            for finding in find_orphans(file.table, column, parents[parent], file.contract)
        ]
        is_nobodys = file.n_rows == 0 or any(finding.rows == file.n_rows for finding in orphans)
        missing = any(finding.expected == "a file" for finding in file.findings)
        may_be_empty = not file.contract.parents or missing or file.contract.name in damage.may_be_empty
        if is_nobodys and not may_be_empty and n_rows["application"] >= damage.least_rows:
            hint = "if there are none, say so: `damage.may_be_empty` in conf/*/parameters/data_processing.yml."
            found = f"none among {file.n_rows:,}, for {n_rows['application']:,} applicants"
            yield file, Finding("error", file.contract.name, "", "rows of the applicants", found, share=1, hint=hint)
        else:
            for finding in orphans:
                yield file, finding


def stack_applications(application_train: ir.Table, application_test: ir.Table) -> ir.Table:
    """Put the applicants to learn from and the applicants to score into one table.

    Their features then come from the same code and the same pass over the histories. No feature of one applicant
    depends on another applicant, so nothing leaks from one set to the other.

    Returns:
        One row per applicant; `TARGET` is null where the outcome is unknown.
    """
    to_score = application_test.mutate(TARGET=ibis.null("int32"))
    return application_train.union(to_score.select(application_train.columns))


def measure_history_rows(row_models: RowModelOptions, **clean_tables: ir.Table) -> dict[str, ir.Table]:
    """Measure the single rows of the histories that row models learn from; of none if no candidate asks for them.

    Args:
        row_models: Which histories.
        **clean_tables: Raw table, in small letters -> its clean rows.

    Returns:
        History -> one row per row of it, see `History.measure`.
    """
    wanted = [history for history in HISTORIES if history.name in row_models.wanted]
    return {history.name: history.measure(clean_tables[history.table]) for history in wanted}


def split_applicants(applicants: ir.Table, options: SplitOptions) -> ir.Table:
    """Cut the hold-out once, before anything is learned.

    Within each class of `TARGET`, applicants are ranked by a pseudo-random number made from their id and the seed, and
    the first `holdout_share` of them are held out. The cut depends on the set of ids and the seed only: neither on the
    order of rows nor on the engine. Ids and outcomes alone are sorted: rows of all features would take minutes.

    Args:
        applicants: One row per applicant, with `SK_ID_CURR` and `TARGET`.
        options: Size and seed of the hold-out.

    Returns:
        `applicants` with `SPLIT`: `train` or `holdout`, null where the outcome is unknown.
    """
    labelled = applicants.filter(applicants.TARGET.notnull()).select("SK_ID_CURR", "TARGET")
    draw = (labelled.SK_ID_CURR.cast("int64") + options.seed) % _PRIME
    for multiplier in _MULTIPLIERS:
        # Squaring between the multiplications breaks up the lattice that a linear generator leaves on near-by ids.
        draw = (draw * draw + draw * multiplier + multiplier) % _PRIME
    drawn = labelled.mutate(_draw=draw)
    within_class = ibis.window(group_by=drawn.TARGET, order_by=[drawn._draw, drawn.SK_ID_CURR])
    ranked = drawn.mutate(
        _rank=ibis.row_number().over(within_class),
        _size=drawn.SK_ID_CURR.count().over(ibis.window(group_by=drawn.TARGET)),
    )
    is_holdout = ranked._rank.cast("float64") < ranked._size.cast("float64") * options.holdout_share
    sides = ranked.select("SK_ID_CURR", SPLIT=is_holdout.ifelse("holdout", "train"))
    return applicants.left_join(sides, "SK_ID_CURR", rname="{name}_right").drop("SK_ID_CURR_right")
