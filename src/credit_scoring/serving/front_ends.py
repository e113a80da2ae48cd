"""The two ways to score rows that have been checked. Both give the answers of batch scoring, to the last bit."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import orjson
import yaml

from credit_scoring.exported_model import DESCRIPTION
from credit_scoring.exported_model.contract import Contract
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.loading import ServedScorer, load_scorer
from credit_scoring.serving.requests import JSON, Rows

if TYPE_CHECKING:
    import pandas as pd

_EXPLAIN, _LANGUAGE = "explain", "language"


class Answer(NamedTuple):
    """An answer.

    Attributes:
        body: What is sent.
        probability: Of default, one per applicant.
        decisions: One per applicant.
        gaps: Of each applicant.
        told: What is said of each applicant.
        asked: Rows, or raw tables, of the applicants.
        wrap: Makes of what is said of each applicant what is sent.
    """

    body: bytes
    probability: npt.NDArray[np.float64]
    decisions: npt.NDArray[np.str_]
    gaps: list[list[Mapping[str, Any]]]
    told: list[dict[str, Any]]
    asked: Any
    wrap: Callable[[list[dict[str, Any]]], Any]

    def retold(self, told: list[dict[str, Any]]) -> "Answer":
        """Return the answer with something else said of each applicant."""
        return self._replace(body=orjson.dumps(self.wrap(told)), told=told)


class FrontEnd(Protocol):
    """Something that scores.

    Attributes:
        is_quick: Whether a few rows take it about a millisecond.
        scorer: The scorer behind it.
    """

    is_quick: bool
    scorer: ServedScorer

    def answer(self, rows: Rows) -> Answer:
        """Score rows."""


class Lean:
    """The scorer itself, without tables where the model can do without.

    Args:
        scorer: The scorer.
        contract: What it is sent.
    """

    is_quick = True

    def __init__(self, scorer: ServedScorer, contract: Contract) -> None:
        self.scorer = scorer
        self._names = [column.name for column in contract.columns]
        self._threshold = float(scorer.decision_policy["threshold"])
        in_order = self._names == list(scorer.feature_names_in_)
        self._codes = scorer.category_codes if in_order else None

    @classmethod
    def load(cls, folder: ModelFolder) -> "Lean":
        """Load the scorer of a folder."""
        return cls(load_scorer(folder.manifest), folder.contract)

    def answer(self, rows: Rows) -> Answer:
        """Score rows."""
        language = rows.params[_LANGUAGE]
        if self._codes is not None:
            encoded = self._encode(rows, self._codes)
            probability = self.scorer.score_coded(encoded)
            gaps = self.scorer.find_gaps_coded(encoded, rows.texts, language)
            decisions = self.scorer.decide(probability, gaps)
            scores = zip(probability.tolist(), decisions.tolist(), gaps, strict=True)
            predictions: list[dict[str, Any]] = [
                {"probability_default": score, "decision": decision, "threshold": self._threshold, "gaps": found}
                for score, decision, found in scores
            ]
            if rows.params.get(_EXPLAIN):
                reasons = self.scorer.explain_coded(encoded, rows.texts, language, probability)
                for prediction, told in zip(predictions, reasons, strict=True):
                    prediction["reasons"] = told
        else:
            predictions = self.scorer.predict(self._table(rows), rows.params).to_dict(orient="records")
        return _answer(predictions, rows, self.scorer)

    def _encode(self, rows: Rows, codes: Mapping[str, Mapping[str | None, float]]) -> npt.NDArray[np.float64]:
        encoded = rows.numbers
        for place, name in enumerate(self._names):
            if name in codes:
                of_column = codes[name]
                encoded[:, place] = [of_column.get(value, np.nan) for value in rows.texts[name]]
        return encoded

    def _table(self, rows: Rows) -> "pd.DataFrame":
        import pandas as pd  # noqa: PLC0415 - some models never need a table

        table = pd.DataFrame(rows.numbers, columns=self._names)
        for name, values in rows.texts.items():
            table[name] = pd.Series(values, dtype=object)
        return table


def _answer(predictions: list[dict[str, Any]], rows: Rows, scorer: ServedScorer, body: bytes | None = None) -> Answer:
    """Write an answer, unless it is written already and nothing is to be added: names that nobody knows."""
    if rows.unknown:
        named = {meant: scorer.name_unknown(meant, rows.params[_LANGUAGE]) for meant in set(rows.unknown.values())}
        reviewed = scorer.decide(np.zeros(1), [[{}]]).item()
        for row, meant in rows.unknown.items():
            predictions[row] |= {"decision": reviewed, "gaps": [*named[meant], *predictions[row]["gaps"]]}
        body = None
    return Answer(
        orjson.dumps(_wrap(predictions)) if body is None else body,
        np.array([row["probability_default"] for row in predictions]),
        np.array([row["decision"] for row in predictions]),
        [row["gaps"] for row in predictions],
        predictions,
        rows,
        _wrap,
    )


def _wrap(predictions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"predictions": predictions}


class Mlflow:
    """What `mlflow models serve` answers with, asked in the fastest of the forms that it reads exactly.

    Args:
        invoke: MLflow's own answer to a body.
        contract: What its model is sent.
        scorer: The scorer behind its model.
    """

    is_quick = False

    def __init__(self, invoke: Callable[[bytes], str], contract: Contract, scorer: ServedScorer) -> None:
        self._invoke = invoke
        self._contract = contract
        self.scorer = scorer

    @classmethod
    def load(cls, folder: ModelFolder) -> "Mlflow":
        """Put MLflow around the scorer, as its own loading does, which would read and import files by name again."""
        from mlflow.models import Model  # noqa: PLC0415 - takes seconds that the lean one saves
        from mlflow.pyfunc import PyFuncModel, scoring_server  # noqa: PLC0415

        scorer = load_scorer(folder.manifest)
        described = Model.from_dict(yaml.safe_load(folder.manifest.read(DESCRIPTION)))
        model = PyFuncModel(described, scorer, model_id=described.model_id)
        schema = model.metadata.get_input_schema()
        return cls(
            lambda body: scoring_server.invocations(body, JSON, model, schema).response,
            folder.contract,
            scorer,
        )

    def answer(self, rows: Rows) -> Answer:
        """Score rows."""
        body = self._invoke(self._request(rows))
        return _answer(orjson.loads(body)["predictions"], rows, self.scorer, body.encode())

    def _request(self, rows: Rows) -> bytes:
        """Write rows by column, which MLflow reads in half the time, or by row where it would read them wrongly.

        By column it makes the text "None" of a null. A column that holds nothing but nulls may be left out instead if
        it is optional; any other null text needs the other form.
        """
        by_column: dict[str, Any] = {}
        for place, column in enumerate(self._contract.columns):
            values = rows.texts[column.name] if column.is_text else rows.numbers[:, place].tolist()
            if column.is_text and not column.required and all(value is None for value in values):
                continue
            by_column[column.name] = values
        if any(None in by_column.get(name, ()) for name in rows.texts):
            table = {"columns": list(by_column), "data": list(zip(*by_column.values(), strict=True))}
            return orjson.dumps({"dataframe_split": table, "params": rows.params})
        return orjson.dumps({"inputs": by_column, "params": rows.params})


FRONT_ENDS: Mapping[str, Callable[[ModelFolder], FrontEnd]] = {"mlflow": Mlflow.load, "lean": Lean.load}
