"""Contract check, union of the applications, hold-out."""

import dataclasses

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from credit_scoring.datasets.raw_csv import RawFile
from credit_scoring.errors import DataContractError
from credit_scoring.pipelines.data_processing.nodes import (
    check_raw_tables,
    inspect_raw_tables,
    split_applicants,
    stack_applications,
)
from credit_scoring.pipelines.data_processing.options import DamageOptions, SplitOptions
from credit_scoring.schemas.quality import Finding
from credit_scoring.schemas.raw import RAW_TABLES


def raw_files(**frames: pd.DataFrame) -> dict[str, RawFile]:
    """Return every raw file, empty but for the rows given."""
    files = {}
    for name, contract in RAW_TABLES.items():
        rows = frames.get(name, pd.DataFrame()).reindex(columns=list(contract.columns))
        table = ibis.memtable(rows.to_dict("list"), schema=dict(contract.columns))
        files[name.lower()] = RawFile(contract, f"raw/{name}.csv", table, len(rows))
    return files


def with_findings(file: RawFile, *findings: tuple[str, str]) -> RawFile:
    made = tuple(Finding(severity, file.contract.name, "", "one thing", found, 3) for severity, found in findings)
    return dataclasses.replace(file, findings=made)


def test_sound_tables_pass_under_their_names() -> None:
    inspected = inspect_raw_tables(DamageOptions(), **raw_files())
    assert inspected["data_quality"] == {"folder": "raw", "rows": dict.fromkeys(RAW_TABLES, 0), "findings": []}
    passed = check_raw_tables(inspected["inspected_tables"], inspected["data_quality"])
    assert passed["typed_pos_cash_balance"].columns == tuple(RAW_TABLES["POS_CASH_balance"].columns)
    assert sorted(passed) == sorted(f"typed_{name.lower()}" for name in RAW_TABLES)


def test_problems_of_all_tables_are_told_at_once() -> None:
    files = raw_files()
    files["bureau"] = with_findings(files["bureau"], ("error", "first"), ("warning", "second"))
    files["pos_cash_balance"] = with_findings(files["pos_cash_balance"], ("error", "third"), ("error", "fourth"))
    inspected = inspect_raw_tables(DamageOptions(), **files)
    with pytest.raises(DataContractError) as caught:
        check_raw_tables(inspected["inspected_tables"], inspected["data_quality"])
    assert caught.value.problems == (
        "bureau.csv: expected one thing; found first.",
        "POS_CASH_balance.csv: expected one thing; found third.",
        "POS_CASH_balance.csv: expected one thing; found fourth.",
    )
    assert "Hint:" in str(caught.value)
    report = inspected["data_quality_report"]
    assert "| bureau | 0 | 1,716,428 | 1 | 1 |" in report
    assert "| POS_CASH_balance | 0 | 10,001,358 | 2 | 0 |" in report
    assert report.index("found fourth") < report.index("## Others") < report.index("found second")


def test_what_is_merely_unusual_is_told_and_passes(caplog: pytest.LogCaptureFixture) -> None:
    files = raw_files()
    files["bureau"] = with_findings(files["bureau"], ("warning", "something odd"))
    inspected = inspect_raw_tables(DamageOptions(), **files)
    assert check_raw_tables(inspected["inspected_tables"], inspected["data_quality"])
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "Data quality: bureau.csv: expected one thing; found something odd."
    ]


def test_histories_of_clients_that_do_not_exist_are_counted() -> None:
    files = raw_files(
        application_train=pd.DataFrame({"SK_ID_CURR": [1, 2]}),
        application_test=pd.DataFrame({"SK_ID_CURR": [3]}),
        bureau=pd.DataFrame({"SK_ID_CURR": [1, 3, 4, 4], "SK_ID_BUREAU": [11, 12, 13, 14]}),
        bureau_balance=pd.DataFrame({"SK_ID_BUREAU": [11, 12, 13, 99]}),
    )
    findings = inspect_raw_tables(DamageOptions(), **files)["data_quality"]["findings"]
    assert [(finding["table"], finding["column"], finding["rows"]) for finding in findings] == [
        ("bureau", "SK_ID_CURR", 2)  # one month in four without a credit is not more than in the official file
    ]
    assert findings[0]["sentence"] == (
        "column SK_ID_CURR: expected a row in application; found none for 2 of 4 rows (50.0%)."
    )


def test_applicants_to_score_have_no_outcome() -> None:
    train = ibis.memtable(pd.DataFrame({"SK_ID_CURR": [1, 2], "TARGET": [0, 1], "AMT_CREDIT": [5.0, 6.0]})).cast(
        {"TARGET": "int32"}
    )
    test = ibis.memtable(pd.DataFrame({"AMT_CREDIT": [7.0], "SK_ID_CURR": [3]}))
    stacked = stack_applications(train, test).order_by("SK_ID_CURR").execute()
    assert stacked["AMT_CREDIT"].tolist() == [5.0, 6.0, 7.0]
    assert stacked["TARGET"].tolist()[:2] == [0, 1]
    assert pd.isna(stacked["TARGET"].iloc[2])


def applicants(order: np.ndarray) -> ir.Table:
    ids = np.arange(100_002, 100_002 + 2000)
    target = (ids % 12 == 0).astype(float)
    target[-100:] = np.nan
    frame = pd.DataFrame({"SK_ID_CURR": ids, "TARGET": target}).iloc[order]
    return ibis.memtable(frame).mutate(TARGET=lambda t: t.TARGET.nullif(float("nan")).cast("int32"))


def holdout(order: np.ndarray, seed: int = 42) -> pd.DataFrame:
    split = split_applicants(applicants(order), SplitOptions(holdout_share=0.2, seed=seed))
    return split.filter(split.SPLIT.notnull()).order_by("SK_ID_CURR").execute()


def test_holdout_is_stratified_and_applicants_without_outcome_are_on_neither_side() -> None:
    everyone = split_applicants(applicants(np.arange(2000)), SplitOptions(holdout_share=0.2, seed=42)).execute()
    assert len(everyone) == 2000
    assert everyone["SPLIT"].isna().equals(everyone["TARGET"].isna())
    split = everyone[everyone["SPLIT"].notna()]
    share = split.groupby("TARGET")["SPLIT"].apply(lambda side: (side == "holdout").mean())
    sizes = split.groupby("TARGET").size()
    assert share.tolist() == pytest.approx((np.ceil(0.2 * sizes) / sizes).tolist())


def test_holdout_does_not_depend_on_row_order() -> None:
    shuffled = np.random.default_rng(0).permutation(2000)
    pd.testing.assert_frame_equal(holdout(shuffled), holdout(np.arange(2000)))


def test_another_seed_draws_another_holdout_and_ids_tell_nothing() -> None:
    one, two = (holdout(np.arange(2000), seed)["SPLIT"] == "holdout" for seed in (42, 43))
    assert 0.1 < (one & two).sum() / one.sum() < 0.32  # independent draws share 20 %
    position = np.flatnonzero(one)
    assert abs(position.mean() - 950) < 75  # spread over the ids
    assert 0.1 < np.mean(np.diff(position) == 1) < 0.3  # neighbours are not drawn together or apart


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_holdout_of_nothing_or_everything_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="holdout_share"):
        SplitOptions(holdout_share=share)
