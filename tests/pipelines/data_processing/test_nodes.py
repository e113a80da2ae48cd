"""Contract check, union of the applications, hold-out."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from credit_scoring.datasets.raw_csv import RawFile
from credit_scoring.errors import DataContractError
from credit_scoring.pipelines.data_processing.nodes import check_raw_tables, split_model_input, stack_applications
from credit_scoring.pipelines.data_processing.options import SplitOptions
from credit_scoring.schemas.raw import RAW_TABLES


def raw_file(name: str, *problems: str) -> RawFile:
    contract = RAW_TABLES[name]
    return RawFile(contract, f"{name}.csv", ibis.memtable([], schema=dict(contract.columns)), 7, problems)


def test_sound_tables_pass_under_their_names() -> None:
    passed = check_raw_tables(*[raw_file(name) for name in RAW_TABLES])
    assert passed["data_quality"] == {"rows": dict.fromkeys(RAW_TABLES, 7)}
    assert passed["typed_pos_cash_balance"].columns == tuple(RAW_TABLES["POS_CASH_balance"].columns)
    assert len(passed) == 9


def test_problems_of_all_tables_are_told_at_once() -> None:
    files = {name: raw_file(name) for name in RAW_TABLES}
    files["bureau"] = raw_file("bureau", "bureau.csv: the file is missing.")
    files["POS_CASH_balance"] = raw_file("POS_CASH_balance", "POS_CASH_balance.csv: one.", "POS_CASH_balance.csv: two.")
    with pytest.raises(DataContractError) as caught:
        check_raw_tables(*files.values())
    message = str(caught.value)
    assert "3 problems found" in message
    assert all(problem in message for problem in ("bureau.csv: the file is missing.", "one.", "two.", "Hint:"))


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
    return split_model_input(applicants(order), SplitOptions(holdout_share=0.2, seed=seed)).execute()


def test_holdout_is_stratified_ordered_and_leaves_out_applicants_without_outcome() -> None:
    split = holdout(np.arange(2000))
    assert len(split) == 1900
    assert split["SK_ID_CURR"].is_monotonic_increasing
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
