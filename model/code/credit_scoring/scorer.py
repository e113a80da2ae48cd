"""What is served: the champion, and the policy that turns its probability into a decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from credit_scoring.models.base import ScoringModel

GRANTED, REFUSED = "granted", "refused"


class CreditScorer(ClassifierMixin, BaseEstimator):
    """Score applicants and decide: the one code path of evaluation, batch scoring, notebooks and the API.

    Attributes:
        model: Fitted model of the probability of default.
        decision_policy: The policy of the same model; `threshold` is what decides.
    """

    def __init__(self, model: ScoringModel, decision_policy: Mapping[str, Any]) -> None:
        self.model = model
        self.decision_policy = decision_policy

    def __sklearn_is_fitted__(self) -> bool:
        """Report that nothing is left to fit."""
        return True

    @property
    def feature_names_in_(self) -> npt.NDArray[np.str_]:
        """Features an applicant is described by."""
        return self.model.feature_names_in_

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of repayment and of default, shape (n, 2)."""
        return self.model.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Score and decide.

        Args:
            X: One row per applicant. Columns may stand in any order; one that is missing counts as null, one that the
                model does not know is ignored.

        Returns:
            One row per row of `X`, same index: `probability_default`, `decision` (`granted` or `refused`), `threshold`.
        """
        threshold = float(self.decision_policy["threshold"])
        probability = self.predict_proba(X)[:, 1]
        return pd.DataFrame(
            {
                "probability_default": probability,
                "decision": np.where(probability >= threshold, REFUSED, GRANTED),
                "threshold": threshold,
            },
            index=X.index,
        )


@dataclass(frozen=True)
class ScorerRelease:
    """A scorer on its way to the registry, with what a reader and a server need to know about it.

    Attributes:
        scorer: What will be served.
        example_rows: Feature rows that stand for what the API will be sent; they give the signature its types, and
            the columns that hold a null among them are optional.
        input_example: Few of these rows, stored with the model to try it out.
        description: What the model is, in Markdown.
        tags: Short facts to find the version by.
    """

    scorer: CreditScorer
    example_rows: pd.DataFrame
    input_example: pd.DataFrame
    description: str
    tags: dict[str, str] = field(default_factory=dict)
