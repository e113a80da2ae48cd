"""What killed runs leave behind: one row each, of which the next run makes what the row says."""

from dataclasses import dataclass, field

WHOLE, HALF = "whole", "half"
TABLE, HISTORY, MODEL = "data/04_feature/table.parquet", "data/04_feature/history_rows", "model"


@dataclass(frozen=True)
class KilledRun:
    """A moment at which a run was killed.

    Attributes:
        what: The moment, as a user would say it.
        left: File of the project -> its content, as the run left them.
        then: The same after the start of the next run.
        writes: What the run was about to write.
    """

    what: str
    left: dict[str, str]
    then: dict[str, str] = field(default_factory=dict)
    writes: tuple[str, ...] = (TABLE,)


KILLED_RUNS = [
    KilledRun("before it wrote anything", {}),
    KilledRun("after all was written", {TABLE: WHOLE}, {TABLE: WHOLE}),
    KilledRun("while a table was written for the first time", {"data/04_feature/.table.parquet.part": HALF}),
    KilledRun("while a table was written again", {TABLE: WHOLE, "data/04_feature/.table.parquet.part": HALF}, {TABLE: WHOLE}),
    KilledRun("between moving the old table aside and the new one into place", {"data/04_feature/.table.parquet.old": WHOLE, "data/04_feature/.table.parquet.part": WHOLE}, {TABLE: WHOLE}),
    KilledRun("before the old table was removed", {TABLE: WHOLE, "data/04_feature/.table.parquet.old": HALF}, {TABLE: WHOLE}),
    KilledRun("while Spark wrote the part files of a table", {"data/04_feature/.table.parquet.part/part-0.parquet": HALF}),
    KilledRun("between moving the part files of the old table aside and the new ones into place", {"data/04_feature/.table.parquet.old/part-0.parquet": WHOLE}, {f"{TABLE}/part-0.parquet": WHOLE}),
    KilledRun("while one of the files of a folder was written", {f"{HISTORY}/bureau.parquet": WHOLE, f"{HISTORY}/.previous.parquet.part": HALF}, {f"{HISTORY}/bureau.parquet": WHOLE}, (HISTORY,)),
    KilledRun("while raw files were generated", {"data/01_raw/.bureau.csv.part": HALF, "data/01_raw/bureau.csv": WHOLE}, {"data/01_raw/bureau.csv": WHOLE}, ("data/01_raw/bureau.csv",)),
    KilledRun("while the model was exported", {"model/MLmodel": WHOLE, ".export_x/model/MLmodel": HALF}, {"model/MLmodel": WHOLE}, (MODEL,)),
    KilledRun("between moving the old model aside and the new one into place", {".export_x/model/MLmodel": WHOLE, ".export_x/replaced/MLmodel": "the old one"}, {"model/MLmodel": "the old one"}, (MODEL,)),
    KilledRun("after the model was swapped", {"model/MLmodel": WHOLE, ".export_x/replaced/MLmodel": "the old one"}, {"model/MLmodel": WHOLE}, (MODEL,)),
    KilledRun("while applicants were scored: finished parts are kept", {"data/.scores.parquet.parts/a.parquet": WHOLE}, {"data/.scores.parquet.parts/a.parquet": WHOLE}, ("data/scores.parquet",)),
    KilledRun("beside unfinished files of somebody else", {"data/04_feature/.other.parquet.part": HALF}, {"data/04_feature/.other.parquet.part": HALF}),
]  # fmt: skip
