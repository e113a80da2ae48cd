"""Decisions on their way into the decision log: what is recorded of an answer, before it is given."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from credit_scoring.decision_log.chain import ANSWERED, DECIDED, SHADOWED, Draft, judge, name_model, new_id
from credit_scoring.decision_log.settings import LogSettings
from credit_scoring.decision_log.tables import connect, prepare
from credit_scoring.decision_log.writer import RecordWriter
from credit_scoring.serving import metrics
from credit_scoring.serving.front_ends import Answer
from credit_scoring.serving.log import RequestFacts
from credit_scoring.serving.requests import RequestError

# What `close` may take of the time that a worker has to end in
_SECONDS_TO_CLOSE = 1.0
_RETRY_AFTER = "5"
_ID = "SK_ID_CURR"

logger = logging.getLogger("credit_scoring.serving")


class Recorder:
    """Records decisions.

    Args:
        settings: Of the decision log.
        identity: Origin of the model that decides.
        language: Of sentences, where a request names none.

    Raises:
        LogError: If the address of the log is none, or its tables are of another version.
    """

    def __init__(self, settings: LogSettings, identity: Mapping[str, str], language: str) -> None:
        engine = connect(settings.address, settings.timeout)
        try:
            prepare(engine, settings.timeout)  # while nobody waits for it
        except (DBAPIError, OSError) as error:
            logger.warning("The decision log cannot be reached yet: %s.", type(error).__name__)
        finally:
            engine.dispose()  # connections must not be shared with the workers
        self._writer = RecordWriter(settings.address, settings.timeout, metrics.count_records)
        self._is_required = settings.mode == "required"
        self._timeout = settings.timeout
        self._language = language
        self._model = name_model(identity)

    def draft(self, facts: RequestFacts, answer: Answer, inputs: Sequence[Any]) -> tuple[Answer, list[Draft]]:
        """Give each decision of an answer its id, and return the records of them.

        Args:
            facts: Of the request.
            answer: Its answer.
            inputs: What each applicant was decided on.
        """
        told = [{"id": new_id(), **one} for one in answer.told]
        request = {
            "kind": DECIDED,
            "actor": facts.key or None,
            "channel": facts.path.removeprefix("/"),
            "request_id": facts.id,
            **self._model,
        }
        drafts = [
            Draft(
                {
                    **request,
                    "id": one["id"],
                    **judge(one),
                    "language": (given.get("params") or {}).get("language", self._language),
                },
                str(client) if (client := one.get(_ID, given.get(_ID))) is not None else None,
                {"input": given, "answer": one},
            )
            for one, given in zip(told, inputs, strict=True)
        ]
        return answer.retold(told), drafts

    async def write(self, drafts: Sequence[Draft], milliseconds: float) -> None:
        """Write the records of decisions, and wait for that if decisions are not given without.

        Raises:
            RequestError: If the records are required, and not written in time.
        """
        for draft in drafts:
            draft.values["milliseconds"] = milliseconds
        if not self._is_required:
            self._writer.note(drafts)
            return
        started = time.perf_counter()
        try:
            future = asyncio.wrap_future(self._writer.write(drafts))
            await asyncio.wait_for(future, self._timeout + 1)
        except Exception as error:
            raise RequestError(
                503,
                "No decision is given without its record, and this one could not be recorded in time. Try again.",
                {"retry-after": _RETRY_AFTER},
            ) from error
        metrics.time_record(time.perf_counter() - started)

    def mark_answered(self, ids: Sequence[str]) -> None:
        """Note that decisions have been sent."""
        self._writer.note([Draft({"kind": ANSWERED, "decision_id": one}) for one in ids])

    def note_challenge(self, ids: Sequence[str], answer: Answer) -> None:
        """Note what this model, a challenger, says of decisions that the champion has given."""
        self._writer.note(
            [
                Draft({"kind": SHADOWED, "decision_id": one, **self._model, **judge(told)})
                for one, told in zip(ids, answer.told, strict=True)
            ]
        )

    def close(self) -> None:
        """Write what waits."""
        self._writer.close(_SECONDS_TO_CLOSE)
