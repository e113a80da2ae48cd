"""The eight files as files: columns, types, keys, determinism, wiring."""

import logging

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from credit_scoring.pipelines.synthetic_data import create_pipeline
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import INTEGER, OFFICIAL_TABLES, TEXT

SMALL = {"n_train": 400, "n_test": 100}


@pytest.mark.parametrize("name", OFFICIAL_TABLES)
def test_has_the_official_columns_in_official_order_with_declared_types(twin, name):
    contract, frame = OFFICIAL_TABLES[name], twin[name]
    assert list(frame.columns) == list(contract.columns)
    expected = {INTEGER: "int32", TEXT: "str"}
    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {
        column: expected.get(kind, "float64") for column, kind in contract.columns.items()
    }


@pytest.mark.parametrize("name", [name for name, table in OFFICIAL_TABLES.items() if table.key])
def test_key_is_unique_over_all_chunks(twin, name):
    assert not twin[name].duplicated(list(OFFICIAL_TABLES[name].key)).any()


def test_every_chunk_has_all_columns_even_without_rows():
    (chunk,) = generate_twin(SyntheticDataOptions(n_train=1, n_test=0))
    assert [len(frame) for frame in chunk[:2]] == [1, 0]
    for frame, table in zip(chunk, OFFICIAL_TABLES.values(), strict=True):
        assert list(frame.columns) == list(table.columns)


def test_same_seed_gives_the_same_twin_and_another_seed_another(make_twin):
    first, again, other = (make_twin(seed=seed, **SMALL) for seed in (1, 1, 2))
    for name in OFFICIAL_TABLES:
        pd.testing.assert_frame_equal(first[name], again[name])
        assert not first[name].equals(other[name])


def test_number_of_applicants_is_exact(twin):
    assert len(twin["application_train"]) == 22_000
    assert len(twin["application_test"]) == 3_500


def test_applicant_keys_are_official_sorted_and_interleaved(twin):
    train, test = (twin[name]["SK_ID_CURR"] for name in ("application_train", "application_test"))
    assert train.is_monotonic_increasing
    assert test.is_monotonic_increasing
    assert not set(train) & set(test)
    both = pd.concat([train, test])
    assert both.between(100_001, 456_255).all()
    quarters = np.quantile(both, [0, 0.25, 0.5, 0.75, 1])
    shares = np.histogram(test, quarters)[0] / np.histogram(both, quarters)[0]
    assert shares == pytest.approx(3_500 / 25_500, abs=0.025)


def test_keys_of_loans_are_in_the_official_ranges(twin):
    assert twin["previous_application"]["SK_ID_PREV"].between(1_000_001, 2_900_000).all()
    assert twin["bureau"]["SK_ID_BUREAU"].between(5_000_000, 6_900_000).all()


def test_target_is_in_train_only(twin):
    assert set(twin["application_train"]["TARGET"]) == {0, 1}
    assert "TARGET" not in twin["application_test"]


def test_unknown_option_is_refused():
    with pytest.raises(ValidationError, match="n_trian"):
        SyntheticDataOptions(n_trian=10)


def test_generator_logs_what_it_makes(make_twin, caplog):
    caplog.set_level(logging.INFO)
    make_twin(**SMALL)
    assert "400 train and 100 test applicants" in caplog.text


def test_pipeline_is_one_node_that_confirms_what_it_writes():
    (node,) = create_pipeline().nodes
    assert node.name == "generate_twin"
    assert node.inputs == ["params:synthetic_data"]
    assert node.outputs == node.confirms
    assert [output.removeprefix("raw_") for output in node.outputs] == [
        name.replace("POS_CASH", "pos_cash") for name in OFFICIAL_TABLES
    ]


def test_pipeline_runs_as_a_generator():
    class Confirmed(MemoryDataset):
        def confirm(self) -> None:
            """Nothing is pending in memory."""

    datasets = {name: Confirmed() for name in create_pipeline().outputs()}
    options = SyntheticDataOptions(n_train=200, n_test=50)
    catalog = DataCatalog({"params:synthetic_data": MemoryDataset(options), **datasets})
    SequentialRunner().run(create_pipeline(), catalog)
    assert len(catalog.load("raw_application_train")) == 200
    assert len(catalog.load("raw_application_test")) == 50
