"""Measure `kedro run --pipelines scoring`, from the stored features of many applicants to their scores.

The features are those of a few applicants, repeated under ids of their own, in no order. Run by `make bench`.
"""

import argparse
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    TEST_APPLICANTS,
    TRAIN_APPLICANTS,
    Cost,
    kedro,
    measure,
    scratch_project,
    write_section,
)

FEATURES = ROOT / "data" / "04_feature" / "synthetic" / "applicant_features.parquet"
APPLICANTS = TRAIN_APPLICANTS + TEST_APPLICANTS
WITH_REASONS = 20_000


def repeat_applicants(features: pa.Table, n_applicants: int, path: Path) -> None:
    """Write so many applicants without outcome: the rows of a table over and over, ids in descending order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place, id_type = features.schema.get_field_index("SK_ID_CURR"), features.schema.field("SK_ID_CURR").type
    outcome = features.schema.get_field_index("TARGET")
    with pq.ParquetWriter(path, features.schema) as writer:
        left = n_applicants
        while left:
            rows = features.slice(0, min(left, len(features)))
            ids = pc.cast(pa.array(range(left, left - len(rows), -1)), id_type)
            rows = rows.set_column(place, features.schema.field(place), ids)
            unknown = pa.nulls(len(rows), features.schema.field(outcome).type)
            writer.write_table(rows.set_column(outcome, features.schema.field(outcome), unknown))
            left -= len(rows)


def measure_scoring(project: Path, features: pa.Table, n_applicants: int, reasons: bool) -> Cost:
    """Score so many applicants, with or without the reasons."""
    path = project / "data" / "04_feature" / "synthetic" / "applicant_features.parquet"
    repeat_applicants(features, n_applicants, path)
    cost = measure(kedro("--pipelines", "scoring", "--params", f"scoring.reasons={str(reasons).lower()}"), project)
    scored = pq.read_metadata(project / "data" / "07_model_output" / "synthetic" / "scores.parquet").num_rows
    if scored != n_applicants:
        raise RuntimeError(f"Expected {n_applicants:,} scores, got {scored:,}.")
    return cost


def main() -> None:
    """Write one row per number of applicants, without and with reasons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, nargs="+", default=[1_000, APPLICANTS])
    parser.add_argument("--with-reasons", type=int, nargs="*", default=[WITH_REASONS])
    parser.add_argument("--features", type=Path, default=FEATURES, help="features of the applicants to repeat")
    parser.add_argument("--model", type=Path, default=ROOT / "model", help="folder of the exported model")
    arguments = parser.parse_args()
    if not arguments.features.exists():
        sys.exit(f"No features in {arguments.features}.\nHint: make demo")
    features = pq.read_table(arguments.features)
    project = scratch_project(DEFAULT_FOLDER / "batch_scoring")
    shutil.copytree(arguments.model, project / "model")
    lines = [
        "| applicants | reasons | wall, s | CPU, s | peak, GB | applicants/s |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for reasons, sizes in ((False, arguments.applicants), (True, arguments.with_reasons)):
        for size in sizes:
            cost = measure_scoring(project, features, size, reasons)
            told = "told" if reasons else "no"
            lines.append(
                f"| {size:,} | {told} | {cost.wall:.0f} | {cost.cpu:.0f} | {cost.peak:.1f} | {size / cost.wall:,.0f} |"
            )
    explanation = (
        f"`kedro run --pipelines scoring` with the exported model: from the stored table of {features.num_columns - 2} "
        f"features ({len(features):,} applicants of the synthetic twin, repeated under other ids, in no order) to "
        "checked scores and the submission file. The start of Python and Kedro is in every row."
    )
    write_section("batch_scoring", "Batch scoring", "\n".join([explanation, "", *lines]))


if __name__ == "__main__":
    main()
