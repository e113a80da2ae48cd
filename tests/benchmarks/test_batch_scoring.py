"""The applicants that batch scoring is measured on."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.batch_scoring import repeat_applicants


def test_applicants_are_repeated_under_ids_of_their_own_and_wait_for_their_outcome(tmp_path: Path) -> None:
    types = pa.schema([("SK_ID_CURR", pa.int32()), ("TARGET", pa.int32()), ("X", pa.float64())])
    features = pa.table({"SK_ID_CURR": [7, 8], "TARGET": [0, None], "X": [0.1, 0.2]}, schema=types)
    repeat_applicants(features, 5, tmp_path / "a" / "features.parquet")
    made = pq.read_table(tmp_path / "a" / "features.parquet")
    assert made.schema == types
    assert made.to_pydict() == {
        "SK_ID_CURR": [5, 4, 3, 2, 1],
        "TARGET": [None] * 5,
        "X": [0.1, 0.2, 0.1, 0.2, 0.1],
    }
