"""What models see of rows: codes of categories, and terms that scikit-learn would make as well."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from credit_scoring.models import encoding
from credit_scoring.models.encoding import CategoryCodes, StandardisedTerms

NUMBERS, TEXTS = ["AMOUNT", "COUNT", "SAME", "GAPS"], ["KIND", "RARE", "FULL"]


def draw(n: int, seed: int) -> pd.DataFrame:
    """Heavy tails, ties at both ends, a constant, nulls, rare categories, a text column without nulls."""
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "AMOUNT": generator.lognormal(12, 2, n),
            "COUNT": generator.poisson(1, n).clip(max=3).astype(float),
            "SAME": 7.0,
            "GAPS": np.where(generator.random(n) < 0.4, np.nan, generator.normal(size=n)),
            "KIND": generator.choice(["x", "y", None], n),
            "RARE": generator.choice(["a", "b", "c", "d"], n, p=[0.9, 0.08, 0.01, 0.01]),
            "FULL": generator.choice(["u", "v"], n),
        }
    )
    return rows.astype(dict.fromkeys(TEXTS, object))


def with_none(rows: pd.DataFrame) -> pd.DataFrame:
    """Write null texts as None: to scikit-learn NaN is another category."""
    texts = {name: [None if pd.isna(text) else text for text in rows[name]] for name in TEXTS}
    return rows.assign(**{name: pd.Series(values, dtype=object) for name, values in texts.items()})


@pytest.mark.parametrize(("n", "sample"), [(60, 100_000), (3000, 100_000), (3000, 2000)])
def test_terms_are_those_of_scikit_learn(n: int, sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_BLOCK_ROWS", 1000)
    monkeypatch.setattr(encoding, "_SAMPLE", sample)
    training, others = draw(n, 0), draw(500, 1)
    others.loc[:3, ["AMOUNT", "GAPS"]] = [[-1.0, 0.0], [1e12, 9.0], [np.nan, np.nan], [0.0, -9.0]]
    others.loc[:1, TEXTS] = [["z", "z", "z"], [None, None, None]]
    ranks = QuantileTransformer(n_quantiles=min(1000, n), subsample=sample, random_state=0)
    numbers = make_pipeline(ranks, StandardScaler(), SimpleImputer(strategy="median", add_indicator=True))
    indicators = OneHotEncoder(min_frequency=0.05, handle_unknown="infrequent_if_exist", sparse_output=False)
    peer = make_column_transformer((numbers, NUMBERS), (indicators, TEXTS)).fit(with_none(training))
    terms = StandardisedTerms(0.05)
    np.testing.assert_allclose(
        terms.fit_transform(training), peer.transform(with_none(training)), rtol=1e-12, atol=1e-14
    )
    learnt = ranks.fit(training[NUMBERS]).quantiles_.T
    assert np.array_equal(terms.quantiles_[:, : learnt.shape[1]], learnt)
    expected = peer.transform(with_none(others))
    np.testing.assert_allclose(terms.transform(others), expected, rtol=1e-12, atol=1e-14)
    coded = terms.codes_.transform(others)
    assert np.array_equal(terms.transform_coded(coded), terms.transform(others))
    names = [training.columns[source] for source in terms.sources_]
    assert names == [*NUMBERS, "GAPS", "KIND", "KIND", "KIND", "RARE", "RARE", "RARE", "FULL", "FULL"]


@pytest.mark.parametrize("columns", [NUMBERS, TEXTS])
def test_terms_of_one_kind_of_columns_alone(columns: list[str]) -> None:
    rows = draw(100, 2)[columns]
    terms = StandardisedTerms(0.05)
    assert terms.fit_transform(rows).shape == (100, 5 if columns == NUMBERS else 8)
    assert terms.transform(rows.head(0)).shape[0] == 0


def test_null_is_a_category_where_asked_for_and_training_had_it() -> None:
    rows = pd.DataFrame({"A": ["y", None, "x"], "B": ["u", "v", "u"], "C": [1.0, np.nan, 3.0]}).astype({"A": object})
    plain, with_null = CategoryCodes("name").fit(rows), CategoryCodes("name", with_null=True).fit(rows)
    assert plain.codes == {"A": {"x": 0.0, "y": 1.0}, "B": {"u": 0.0, "v": 1.0}}
    assert with_null.codes == {"A": {"x": 0.0, "y": 1.0, None: 2.0}, "B": {"u": 0.0, "v": 1.0}}
    others = pd.DataFrame({"A": [np.nan, "z", "x"], "B": [None, "u", "z"], "C": [None, 2.0, 3.0]})
    expected = [[2.0, np.nan, np.nan], [np.nan, 0.0, 2.0], [0.0, np.nan, 3.0]]
    np.testing.assert_array_equal(with_null.transform(others), expected)
    np.testing.assert_array_equal(plain.transform(others)[0], [np.nan] * 3)
    # x, y, null and none of them; then u, v and none of them
    np.testing.assert_array_equal(with_null.places(np.array(expected)), [[2, 6], [3, 4], [0, 6]])
