"""Answers again what was recorded, by the model of the record: a process of its own, as one imports one version only.

Started by `decision_log.replaying`. Reads lines of JSON, one request each (`channel`, `inputs`), and writes one line
for each: what is told of each applicant now, or `error`.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.exported_model.loading import load_decider, use_code_of
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.serving.checking import check_model
from credit_scoring.serving.decisions import Decisions
from credit_scoring.serving.front_ends import Lean
from credit_scoring.serving.requests import JSON, RequestError, RequestReader
from credit_scoring.serving.settings import Settings

_ANY = 1_000_000
# Simulations and searches were asked for beside the decision, and searches are limited by time
_BESIDE = ("simulate", "counterfactual")
# How decisions on rows of features are asked for; the others are on raw tables
_OF_ROWS = ("invocations", "batch")


class Replay:
    """A model that answers again.

    Args:
        path: Its folder.

    Raises:
        ModelFolderError: If it is not in order, or may not score here as it did.
    """

    def __init__(self, path: Path) -> None:
        settings = Settings(max_rows=_ANY, max_history=_ANY)
        folder = check_model(path, settings.other_versions)
        use_code_of(folder.manifest)
        self._lean = Lean.load(folder)
        self._reader = RequestReader(folder.contract, max_rows=settings.max_rows)
        decider = load_decider(folder.manifest, self._lean.scorer)
        self._decisions = Decisions(decider, settings, folder.identity["manifest_sha256"])

    def answer(self, channel: str, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what is told of each applicant of a request.

        Raises:
            RequestError: If the model cannot answer it.
        """
        if channel not in _OF_ROWS:
            asked = [{name: value for name, value in one.items() if name not in _BESIDE} for one in inputs]
            return self._decisions.answer(orjson.dumps(asked), JSON).told
        return self._lean.answer(self._reader.restore(inputs)).told


def main() -> int:
    """Answer what comes in by the model in a folder, the argument.

    Returns:
        0, or 2 if the model is not in order.
    """
    logging.disable(logging.WARNING)
    try:
        replay = Replay(Path(sys.argv[1]))
    except ModelFolderError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in sys.stdin.buffer:
        asked = orjson.loads(line)
        try:
            told: Any = replay.answer(asked["channel"], asked["inputs"])
        except RequestError as error:
            told = {"error": error.message}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
