"""Requests that bring raw tables: from the body to decisions, by what the model brings along."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from credit_scoring.exported_model.loading import ServedDecider
from credit_scoring.serving.front_ends import Answer
from credit_scoring.serving.requests import JSON, RequestError, check_body, parse_json
from credit_scoring.serving.settings import Settings

# What a request may hold beside raw tables
OPTIONS = ("params", "simulate", "counterfactual")


class Decisions:
    """Answers requests with raw tables.

    Args:
        decider: What decides; null if the model came without a feature plan.
        settings: How the server runs.
        manifest_sha256: Digest of the model's manifest, which answers hold.
    """

    def __init__(self, decider: ServedDecider | None, settings: Settings, manifest_sha256: str) -> None:
        self._decider = decider
        self._max_rows = settings.max_rows
        self._max_history = settings.max_history
        self._refuse_gaps = settings.gaps == "refuse"
        self._manifest = manifest_sha256

    def answer(
        self, body: bytes, content_type: str, content_encoding: str = "", *, request_id: str = "", plain: bool = False
    ) -> Answer:
        """Decide on the applicant or the applicants of a body.

        Args:
            body: Its bytes.
            content_type: What the header of that name says.
            content_encoding: What the header of that name says.
            request_id: Id of the request.
            plain: Whether to pass over what is asked beside the decision.

        Raises:
            RequestError: If the model cannot, or the request is not in order.
        """
        if self._decider is None:
            raise RequestError(
                501, "This model has features that do not follow from raw tables alone: send them to /invocations."
            )
        if check_body(body, content_type, content_encoding) != JSON:
            raise RequestError(415, f"The Content-Type must be {JSON}.")
        payload = parse_json(body)
        if not isinstance(payload, dict | list):
            raise RequestError(400, "The body must be an object, the raw tables of an applicant, or a list of these.")
        applicants = payload if isinstance(payload, list) else [payload]
        if len(applicants) > self._max_rows:
            message = f"There are {len(applicants)} applicants; at most {self._max_rows} are decided on at a time."
            raise RequestError(413, message)
        if plain:
            applicants = [_without_options(one) for one in applicants]
        try:
            decided = self._decider.decide(applicants, self._max_history)
        except self._decider.input_error as error:
            message, problems = self._decider.describe_problems(error, payload)
            raise RequestError(400, message, told={"problems": problems}) from None
        for one in decided:
            one |= {"manifest_sha256": self._manifest, "request_id": request_id}
        wrap: Callable[[list[dict[str, Any]]], Any] = list if isinstance(payload, list) else itemgetter(0)
        return Answer(
            orjson.dumps(wrap(decided)),
            np.array([one["probability_default"] for one in decided]),
            np.array([one["decision"] for one in decided]),
            [one["gaps"] for one in decided],
            decided,
            applicants,
            wrap,
        )

    def gap_error(self, gaps: Sequence[Sequence[Mapping[str, Any]]]) -> RequestError | None:
        """Return what is told of the first applicant with gaps where gaps are refused; nothing if there is none."""
        place, found = next(((place, found) for place, found in enumerate(gaps) if found), (0, ()))
        if not found or not self._refuse_gaps:
            return None
        return RequestError(400, " ".join(f"{gap['text']}." for gap in found), told={"applicant": place, "gaps": found})


def _without_options(applicant: Any) -> Any:
    if not isinstance(applicant, Mapping):
        return applicant
    return {name: table for name, table in applicant.items() if name not in OPTIONS}
