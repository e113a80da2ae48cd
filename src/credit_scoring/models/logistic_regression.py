"""Logistic regression on ranks: the transparent reference."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from credit_scoring.models.base import ScoringModel, text_columns

_SEPARATOR = "__is__"


class LogisticRegressionModel(ScoringModel):
    """Numbers become standardised ranks with a flag where they are missing, categories become indicators.

    Ranks tame the heavy tails of amounts and make coefficients comparable. Normal scores would too, but send the many
    zeros at the lower end of a count or a debt to minus five standard deviations. Null numbers take the median.
    Categories under `min_frequency` are pooled, unseen ones count as pooled.
    """

    def __init__(
        self, C: float = 0.01, max_iter: int = 1000, min_frequency: float = 0.005, class_weight: str | None = None
    ) -> None:
        self.C = C
        self.max_iter = max_iter
        self.min_frequency = min_frequency
        self.class_weight = class_weight

    def _fit(self, X: pd.DataFrame, y: npt.NDArray[np.int_]) -> None:
        self.texts_ = text_columns(X)
        # A column without a single value has no quantiles; it tells nothing and takes no part.
        numbers = [name for name in X.columns if name not in self.texts_ and X[name].notna().any()]
        ranks = QuantileTransformer(n_quantiles=min(1000, len(X)), subsample=100_000, random_state=0)
        impute = SimpleImputer(strategy="median", add_indicator=True)
        self.preprocessing_ = ColumnTransformer(
            [
                ("numbers", make_pipeline(ranks, StandardScaler(), impute), numbers),
                (
                    "texts",
                    OneHotEncoder(
                        min_frequency=self.min_frequency,
                        handle_unknown="infrequent_if_exist",
                        sparse_output=False,
                        feature_name_combiner=_name_indicator,
                    ),
                    self.texts_,
                ),
            ],
            verbose_feature_names_out=False,
        )
        self.estimator_ = LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight=self.class_weight)
        Z = self.preprocessing_.fit_transform(self._prepare(X))
        self.estimator_.fit(Z, y)
        self.term_means_ = Z.mean(axis=0)
        names = self.preprocessing_.get_feature_names_out()
        sources = [name.removeprefix("missingindicator_").split(_SEPARATOR)[0] for name in names]
        position = {name: i for i, name in enumerate(self.feature_names_in_)}
        self.term_sources_ = np.array([position[source] for source in sources])

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        Z = self.preprocessing_.transform(self._prepare(X))
        # Row by row: a matrix product sums in another order for another number of rows, and the last bit would follow.
        margin = (Z * self.estimator_.coef_[0]).sum(axis=1) + self.estimator_.intercept_[0]
        return expit(margin)

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        """Return coefficient x (term - its training mean), summed over the terms that one feature became.

        These are the Shapley values of a linear model with independent features (Lundberg & Lee, NeurIPS 2017, sec. 4).
        """
        Z = self.preprocessing_.transform(self._prepare(X))
        coefficients = self.estimator_.coef_[0]
        values = np.zeros(X.shape)
        np.add.at(values.T, self.term_sources_, ((Z - self.term_means_) * coefficients).T)
        return values, float(self.estimator_.intercept_[0] + self.term_means_ @ coefficients)

    def _prepare(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return numbers as floats and categories as objects with one kind of null, which the encoder counts as one."""
        columns = {
            name: X[name].astype(object).where(X[name].notna(), None) if name in self.texts_ else X[name].astype(float)
            for name in X.columns
        }
        return pd.DataFrame(columns, index=X.index)


def _name_indicator(feature: str, category: object) -> str:
    return f"{feature}{_SEPARATOR}{category}"
