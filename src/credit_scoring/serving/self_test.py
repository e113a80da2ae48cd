"""Whether a loaded model answers its stored example as it did where it was made."""

import logging
from typing import Literal

import orjson

from credit_scoring.exported_model import EXAMPLE, EXAMPLE_ANSWER
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.serving.front_ends import FrontEnd
from credit_scoring.serving.requests import JSON, RequestReader

logger = logging.getLogger("credit_scoring.serving")


def run_self_test(folder: ModelFolder, front_end: FrontEnd, other_versions: Literal["refuse", "warn"]) -> None:
    """Compare the answer to the stored example with the stored answer, to the last bit, and ask for its reasons.

    Raises:
        ModelFolderError: If it differs and the setting does not say to warn only, there is no stored answer, or no
            reasons can be given.
    """
    if EXAMPLE_ANSWER not in folder.manifest.digests:
        raise ModelFolderError(f"{folder.path} has no {EXAMPLE_ANSWER}.\nHint: export the model again (make export).")
    expected = orjson.loads(folder.manifest.read(EXAMPLE_ANSWER))["predictions"]
    body = folder.manifest.read(EXAMPLE)
    reader = RequestReader(folder.contract, max_rows=len(expected))
    found = orjson.loads(front_end.answer(reader.read(body, JSON)).body)["predictions"]
    try:
        front_end.answer(reader.read(orjson.dumps(orjson.loads(body) | {"params": {"explain": True}}), JSON))
    except Exception as error:  # of the model's own code, which may be older than the server's
        raise ModelFolderError(
            f"{folder.path} gives no reasons for its decisions: {type(error).__name__}: {error}.\n"
            "Hint: export the model again (make export) by the version of the project that serves it."
        ) from error
    differing = [row for row, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1]]
    if not differing:
        return
    row = differing[0]
    message = (
        f"The model does not answer its stored example as it did where it was made: {len(differing)} of "
        f"{len(expected)} rows differ. Row {row}: expected {expected[row]}, found {found[row]}."
    )
    if other_versions == "refuse":
        raise ModelFolderError(
            f"{message}\nHint: pip install -r {folder.path}/requirements.txt on a processor of the kind that it was "
            "made on, export it again here, or set SERVING_OTHER_VERSIONS=warn."
        )
    logger.warning("%s", message)
