"""Decisions from raw tables without a server: `credit-scoring decide applicant.json`, and `decide` in Python."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson

from credit_scoring.exported_model import MANIFEST
from credit_scoring.exported_model.loading import ServedDecider, load_decider, load_scorer, use_code_of
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest

_MODEL = Path("model")


class InvalidRequestError(ValueError):
    """What is asked about applicants is not in order."""


def decide(
    applicants: Mapping[str, Any] | Sequence[Mapping[str, Any]], model: Path = _MODEL
) -> dict[str, Any] | list[dict[str, Any]]:
    """Decide on an applicant, or on several, as the server's `/decisions` does; see docs/serving.md.

    Args:
        applicants: Raw tables of an applicant and what is asked beside, or a list of these.
        model: Folder of the exported model, which is loaded once.

    Raises:
        ModelFolderError: If the folder does not hold the model that was exported, or it came without a feature plan.
        InvalidRequestError: If a request is not in order; says all that is wrong.
    """
    if not isinstance(applicants, Mapping | list):
        raise InvalidRequestError("Expected the raw tables of an applicant, or a list of these.")
    decider = _load(model.resolve(), _read_list(model))
    try:
        decided = decider.decide([applicants] if isinstance(applicants, Mapping) else applicants)
    except decider.input_error as error:
        raise InvalidRequestError(decider.describe_problems(error, applicants)[0]) from None
    return decided[0] if isinstance(applicants, Mapping) else decided


def _read_list(model: Path) -> bytes:
    """Return the list of the model's files, which is another one for another model."""
    try:
        return (model / MANIFEST).read_bytes()
    except OSError:
        return b""  # which is said when the model is loaded


@lru_cache(maxsize=1)
def _load(model: Path, _list: bytes) -> ServedDecider:
    """Load a model, anew if its list is another one."""
    manifest = check_manifest(model)
    decider = load_decider(manifest, load_scorer(manifest))
    if decider is None:
        raise ModelFolderError(
            f"The model in {model} has features that do not follow from raw tables alone.\n"
            "Hint: compute its features with the pipelines, and score them with `kedro run --pipelines batch_scoring`."
        )
    return decider


def main(arguments: Sequence[str]) -> int:
    """Decide on what a file of JSON holds, by the model's own copy of the code, and write the answer.

    Returns:
        0, or 1 if the file or the model is not in order.
    """
    parser = argparse.ArgumentParser(prog="credit-scoring decide", description="Decide on applicants from raw tables.")
    parser.add_argument("file", type=Path, help="JSON: raw tables of an applicant, or a list of these")
    parser.add_argument("--model", type=Path, default=_MODEL, help="folder of the exported model (model)")
    parser.add_argument("--explain", action="store_true", help="say why")
    parser.add_argument("--language", choices=("fr", "en"), help="of sentences (fr)")
    given = parser.parse_args(arguments)
    try:
        applicants = orjson.loads(given.file.read_bytes())
        use_code_of(check_manifest(given.model))
        ask = partial(_ask, explain=given.explain, language=given.language)
        answer = decide([*map(ask, applicants)] if isinstance(applicants, list) else ask(applicants), given.model)
    except (orjson.JSONDecodeError, InvalidRequestError) as error:
        sys.stderr.write(f"{given.file}: {error}\n")
        return 1
    except (OSError, ModelFolderError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() + "\n")
    return 0


def _ask(applicant: Any, explain: bool, language: str | None) -> Any:
    """Put what the command line asks for in the place of what the file asks for."""
    params = applicant.get("params") or {} if isinstance(applicant, dict) else None
    if not isinstance(params, dict):
        return applicant  # which is not in order, as is said
    asked = ({"explain": True} if explain else {}) | ({"language": language} if language else {})
    return {**applicant, "params": {**params, **asked}} if asked else applicant
