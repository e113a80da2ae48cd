"""Decisions of batch scoring on their way into the decision log."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import DECIDED, Draft, judge
from credit_scoring.decision_log.log import DecisionLog, Filter
from credit_scoring.decision_log.tables import writing

_ID = "SK_ID_CURR"


def record_batch(
    part: str, rows: pd.DataFrame, scores: pd.DataFrame, columns: Sequence[str], model: Mapping[str, str], **params: Any
) -> None:
    """Record the decisions of a part of a batch before its scores are written, in one transaction.

    A part whose decisions are recorded already, as its run was killed before it wrote the scores, is passed over.

    Args:
        part: Name of the part, which stands for applicants, model and options; the records' request.
        rows: `SK_ID_CURR` and features, one row per applicant.
        scores: What `CreditScorer.predict` says of them.
        columns: Features that the model is sent.
        model: Origin of the model, see `ModelFolder.identity`.
        params: What was asked of the scorer.

    Raises:
        LogError, SQLAlchemyError: If they cannot be recorded.
    """
    log = DecisionLog(create=True)
    if log.find(Filter(channel="batch", request=part), limit=1).records:
        return
    request = {
        "kind": DECIDED,
        "channel": "batch",
        "request_id": part,
        "language": params["language"],
        **chain.name_model(model),
    }
    told = scores.drop(columns=_ID, errors="ignore").to_dict("records")
    drafts = []
    for client, row, one in zip(rows[_ID].tolist(), rows[list(columns)].to_dict("records"), told, strict=True):
        known = {str(name): value for name, value in row.items() if not pd.isna(value)}
        given = {name: value if isinstance(value, str) else float(value) for name, value in known.items()}
        answer = {str(name): value for name, value in one.items()}
        drafts.append(
            Draft(request | judge(answer), str(client), {"input": {"row": given, "params": params}, "answer": answer})
        )
    people = [draft.seal() for draft in drafts]
    with writing(log.engine, log.timeout) as connection:
        chain.append(connection, drafts, people)
