"""From raw files to one row per applicant: contract check, union of the application files, hold-out."""

from typing import Any

import ibis
import ibis.expr.types as ir

from credit_scoring.datasets.raw_csv import RawFile
from credit_scoring.errors import DataContractError
from credit_scoring.pipelines.data_processing.options import SplitOptions

# Multipliers of the minimal standard generator and of its revision (Park & Miller, CACM 31(10), 1988; 36(7), 1993).
_PRIME = 2**31 - 1
_MULTIPLIERS = (16807, 48271)


def check_raw_tables(
    application_train: RawFile,
    application_test: RawFile,
    bureau: RawFile,
    bureau_balance: RawFile,
    previous_application: RawFile,
    pos_cash_balance: RawFile,
    installments_payments: RawFile,
    credit_card_balance: RawFile,
) -> dict[str, Any]:
    """Let the raw tables pass only if no file breaks its contract.

    Returns:
        The eight typed tables under `typed_<table>`, and `data_quality`: the rows read per table.

    Raises:
        DataContractError: If any file is missing, unreadable or breaks its contract; names every problem of every file.
    """
    files = {
        "application_train": application_train,
        "application_test": application_test,
        "bureau": bureau,
        "bureau_balance": bureau_balance,
        "previous_application": previous_application,
        "pos_cash_balance": pos_cash_balance,
        "installments_payments": installments_payments,
        "credit_card_balance": credit_card_balance,
    }
    problems = [problem for file in files.values() for problem in file.problems]
    if problems:
        raise DataContractError(
            "Raw data",
            problems,
            "put the eight official CSV files side by side in the raw folder (`--params raw_folder=...`), unchanged, "
            "or make a synthetic set with `kedro run --pipelines synthetic_data`. Nothing was overwritten.",
        )
    quality = {"rows": {file.contract.name: file.n_rows for file in files.values()}}
    return {f"typed_{name}": file.table for name, file in files.items()} | {"data_quality": quality}


def stack_applications(application_train: ir.Table, application_test: ir.Table) -> ir.Table:
    """Put the applicants to learn from and the applicants to score into one table.

    Their features then come from the same code and the same pass over the histories. No feature of one applicant
    depends on another applicant, so nothing leaks from one set to the other.

    Returns:
        One row per applicant; `TARGET` is null where the outcome is unknown.
    """
    to_score = application_test.mutate(TARGET=ibis.null("int32"))
    return application_train.union(to_score.select(application_train.columns))


def split_model_input(applicant_features: ir.Table, options: SplitOptions) -> ir.Table:
    """Keep the applicants whose outcome is known and cut the hold-out once, before anything is learned.

    Within each class of `TARGET`, applicants are ranked by a pseudo-random number made from their id and the seed, and
    the first `holdout_share` of them are held out. The cut depends on the set of ids and the seed only: neither on the
    order of rows nor on the engine.

    Returns:
        `applicant_features` with `SPLIT` (`train` or `holdout`), in the order of `SK_ID_CURR`.
    """
    labelled = applicant_features.filter(applicant_features.TARGET.notnull())
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
    return (
        ranked.mutate(SPLIT=is_holdout.ifelse("holdout", "train"))
        .drop("_draw", "_rank", "_size")
        .order_by("SK_ID_CURR")
    )
