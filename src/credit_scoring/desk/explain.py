"""`credit-scoring explain ID`: the dossier of one applicant, decided on as `/decisions` does, as files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import pyarrow.parquet as pq

from credit_scoring.decisions import Decider
from credit_scoring.desk.applicants import reopen_applicants
from credit_scoring.desk.dossier import compile_dossier, draw_dossier, write_dossier
from credit_scoring.desk.proposals import Proposer
from credit_scoring.desk.settings import DeskSettingError, DeskSettings, read_desk_settings
from credit_scoring.desk.source_rows import FORMS, first_client, read_applicant
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.scorer import CreditScorer
from credit_scoring.texts import LANGUAGES, Language, texts_in


def main(arguments: Sequence[str]) -> int:
    """Write the dossier of one applicant, show it, and say where its files are.

    Returns:
        0; 1 if there is no such applicant, or model, source tables or folder are not in order; 2 if settings are not.
    """
    parser = argparse.ArgumentParser(
        prog="credit-scoring explain",
        description="Decide on one applicant of the source tables and say why. The desk's settings (DESK_MODEL, "
        "DESK_SOURCE, DESK_RAW_FOLDER …) say where model and tables are.",
    )
    parser.add_argument("client", type=int, metavar="ID", help="number of the applicant, SK_ID_CURR")
    parser.add_argument("--counterfactual", action="store_true", help="look for a change that leads to approval")
    parser.add_argument("--language", choices=LANGUAGES, help="of the dossier (DESK_LANGUAGE)")
    parser.add_argument(
        "--folder", type=Path, help="where its files are written (reports/clients, or reports/SOURCE/clients)"
    )
    given = parser.parse_args(arguments)
    try:
        settings = read_desk_settings()
        language: Language = given.language or settings.language
        written = explain(given.client, settings, language, given.counterfactual, given.folder)
    except DeskSettingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (ModelFolderError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    text = written[0].read_text(encoding="utf-8")
    sys.stdout.write(f"{text}\nWritten to {', '.join(map(str, written))}\n")
    return 0


def explain(
    client: int,
    settings: DeskSettings,
    language: Language,
    counterfactual: bool = False,
    folder: Path | None = None,
) -> list[Path]:
    """Write the dossier of one applicant.

    Args:
        client: SK_ID_CURR.
        settings: Say where model and source tables are.
        language: Of the dossier.
        counterfactual: Whether a change that leads to approval is looked for.
        folder: Where its files are written; below `reports` if it is not said.

    Returns:
        Its files: Markdown, figure (SVG), JSON.

    Raises:
        ModelFolderError: If the model is not in order, or came without a feature plan.
        ValueError: If there is no such applicant, source tables cannot be used, or the scorer has no reasons.
    """
    proposer = Proposer(settings.model)
    scorer, decider = cast(CreditScorer, proposer.scorer), cast(Decider, proposer.decider)
    tables = _find_tables(client, settings, proposer.manifest, decider)
    features = settings.layer("04_feature") / "applicant_features.parquet"
    try:
        dossier = compile_dossier(
            tables,
            scorer,
            decider,
            learnt_from=_is_learnt_from(features, client),
            counterfactual=language if counterfactual else None,
        )
    except decider.input_error as error:
        asked = {**tables, "params": {"language": language}}
        problems = decider.describe_problems(error, asked)[0]
        raise ValueError(f"The tables of client {client} are not in order: {problems}") from None
    texts, is_synthetic = texts_in(language), settings.source == "synthetic"
    folder = folder or Path("reports", "" if is_synthetic else settings.source, "clients")
    name = f"client_{client}"
    made = {
        "md": write_dossier(dossier, texts, f"{name}.svg", is_synthetic).encode(),
        "svg": draw_dossier(dossier, texts, is_synthetic).encode(),
        "json": orjson.dumps(dossier, option=orjson.OPT_INDENT_2),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for kind, content in made.items():
        (folder / f"{name}.{kind}").write_bytes(content)
    return [folder / f"{name}.{kind}" for kind in made]


def _find_tables(client: int, settings: DeskSettings, manifest: str, decider: Decider) -> dict[str, Any]:
    """Read the raw tables of an applicant: by key, where the desk has them ready, else from the source files."""
    ready = reopen_applicants(settings, manifest)
    if ready is None:
        tables = read_applicant(settings.raw, client, decider.tables)
    else:
        tables = ready.read(client) if ready.get(client) else None
    if tables is None:
        raise ValueError(
            f"No client {client}: neither {' nor '.join(FORMS)} in {settings.raw} has this SK_ID_CURR.\n"
            f"Hint: one that there is: credit-scoring explain {first_client(settings.raw)}"
        )
    return tables


def _is_learnt_from(features: Path, client: int) -> bool | None:
    """Say by `SPLIT` whether an applicant is a training row; null if the features of the run are not there."""
    if not features.exists():
        return None
    rows = pq.read_table(features, columns=["SPLIT"], filters=[("SK_ID_CURR", "==", client)])
    return "train" in rows["SPLIT"].to_pylist()
