"""Features as a matrix: codes for trees, standardised terms for linear models and networks."""

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from credit_scoring.models.base import text_columns

_SEPARATOR = "__is__"


class CategoryCodes:
    """Numbers as they are, categories as codes, nulls and categories not seen in `fit` as NaN.

    Args:
        order: `name` numbers the categories alphabetically, for trees that treat codes as categories; `frequency`
            numbers the most frequent 0, for trees that only know larger and smaller.

    Attributes:
        categories_: By text column, the categories in the order of their codes.
    """

    def __init__(self, order: Literal["name", "frequency"]) -> None:
        self.order = order

    def fit(self, X: pd.DataFrame) -> Self:
        """Learn which columns are text and which categories they hold."""
        self.categories_: dict[str, npt.NDArray[np.object_]] = {}
        for name in text_columns(X):
            names, counts = np.unique(X[name].dropna().to_numpy(dtype=object).astype(str), return_counts=True)
            if self.order == "frequency":
                names = names[np.argsort(-counts, kind="stable")]
            self.categories_[name] = names
        return self

    @property
    def codes(self) -> dict[str, dict[str, float]]:
        """By text column, the code of each category."""
        return {
            name: {category: float(code) for code, category in enumerate(categories)}
            for name, categories in self.categories_.items()
        }

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return one column per column of `X`, in its order."""
        is_text = X.columns.isin(list(self.categories_))
        encoded = np.empty(X.shape, dtype=np.float64)
        # All numbers in one go, and categories by dictionary: pandas, column by column, takes longer to encode one row
        # than the trees take to score it.
        encoded[:, ~is_text] = X.loc[:, ~is_text].to_numpy(dtype=np.float64, na_value=np.nan)
        codes, texts = self.codes, X.loc[:, is_text].to_numpy(dtype=object)
        for values, place in zip(texts.T, np.flatnonzero(is_text), strict=True):
            of_column = codes[X.columns[place]]
            encoded[:, place] = [of_column.get(value, np.nan) for value in values]
        return encoded


class StandardisedTerms:
    """Numbers as standardised ranks with a flag where they are missing, categories as indicators.

    Ranks tame the heavy tails of amounts and make coefficients comparable. Normal scores would too, but send the many
    zeros at the lower end of a count or a debt to minus five standard deviations. Null numbers take the median.

    Args:
        min_frequency: Categories of a smaller share are pooled; one that was not seen in `fit` counts as pooled.

    Attributes:
        sources_: For each term, the position of the feature it was made of.
    """

    def __init__(self, min_frequency: float) -> None:
        self.min_frequency = min_frequency

    def fit_transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Learn ranks, medians and categories; return the terms of the same rows."""
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
        Z = self.preprocessing_.fit_transform(self._prepare(X))
        names = self.preprocessing_.get_feature_names_out()
        sources = [name.removeprefix("missingindicator_").split(_SEPARATOR)[0] for name in names]
        position = {name: i for i, name in enumerate(X.columns)}
        self.sources_ = np.array([position[source] for source in sources], dtype=int)
        return Z

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return one column per term; each row depends on itself alone, to the last bit."""
        return self.preprocessing_.transform(self._prepare(X))

    def _prepare(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return numbers as floats and categories as objects with one kind of null, which the encoder counts as one."""
        columns = {
            name: X[name].astype(object).where(X[name].notna(), None) if name in self.texts_ else X[name].astype(float)
            for name in X.columns
        }
        return pd.DataFrame(columns, index=X.index)


def _name_indicator(feature: str, category: object) -> str:
    return f"{feature}{_SEPARATOR}{category}"
