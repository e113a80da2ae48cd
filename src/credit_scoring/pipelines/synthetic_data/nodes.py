"""Node of the synthetic data pipeline."""

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.application import draw_applications
from credit_scoring.pipelines.synthetic_data.bureau import BALANCE_COVERAGE, BALANCE_COVERAGE_TEST, draw_bureau
from credit_scoring.pipelines.synthetic_data.credit_card import draw_card_holders, unfold_credit_cards
from credit_scoring.pipelines.synthetic_data.installments import unfold_installments
from credit_scoring.pipelines.synthetic_data.keys import (
    FIRST_BUREAU,
    FIRST_PREVIOUS,
    draw_applicant_keys,
    make_key_maker,
)
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.pipelines.synthetic_data.population import draw_scores
from credit_scoring.pipelines.synthetic_data.pos_cash import unfold_pos_cash
from credit_scoring.pipelines.synthetic_data.previous_application import draw_previous_applications
from credit_scoring.pipelines.synthetic_data.risk import draw_target
from credit_scoring.pipelines.synthetic_data.sampling import BoolArray, IntArray, make_frame
from credit_scoring.run_log import tell_progress

logger = logging.getLogger(__name__)

_CHUNK = 2_500
"""Applicants per chunk. The generated files depend on it, so it is not an option. Kedro hands the chunks on through
`itertools.tee`, which lets go of them in blocks of 57 only: this size keeps a full-size run below 2 GB."""

Tables = tuple[pd.DataFrame, ...]


def generate_twin(options: SyntheticDataOptions) -> Iterator[Tables]:
    """Generate a synthetic twin of the eight official files, chunk by chunk.

    Args:
        options: Size, seed and drift of the twin.

    Yields:
        For every chunk of applicants, in order of SK_ID_CURR: application_train, application_test, bureau,
        bureau_balance, previous_application, POS_CASH_balance, installments_payments, credit_card_balance.
    """
    n = options.n_train + options.n_test
    n_chunks = -(-n // _CHUNK)
    logger.info("Generating %d train and %d test applicants with their histories.", options.n_train, options.n_test)
    keys, is_test = draw_applicant_keys(np.random.default_rng([options.seed, 0]), options.n_train, options.n_test)
    for chunk in tell_progress(range(n_chunks), "parts of the synthetic twin"):
        rows = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        rng = np.random.default_rng([options.seed, 1 + chunk])
        yield _generate_chunk(rng, keys[rows], is_test[rows], options.test_drift, chunk, n_chunks)


def _generate_chunk(
    rng: np.random.Generator, keys: IntArray, is_test: BoolArray, drift: bool, chunk: int, n_chunks: int
) -> Tables:
    scores = draw_scores(rng, len(keys))
    columns, facts = draw_applications(rng, scores, is_test, drift=drift)
    facts["has_card"] = draw_card_holders(rng, scores, facts["revolving"])
    columns |= {"SK_ID_CURR": keys, "TARGET": draw_target(rng, scores, facts)}
    train = make_frame("application_train", columns)[~is_test].reset_index(drop=True)
    test = make_frame("application_test", columns)[is_test].reset_index(drop=True)

    moved = is_test & drift
    reported = rng.random(len(keys)) < np.where(moved, BALANCE_COVERAGE_TEST, BALANCE_COVERAGE)
    bureau, bureau_balance = draw_bureau(
        rng, scores, facts["no_bureau"], reported, moved, keys, make_key_maker(rng, FIRST_BUREAU, chunk, n_chunks)
    )
    previous, loans = draw_previous_applications(
        rng, scores, facts["has_card"], keys, make_key_maker(rng, FIRST_PREVIOUS, chunk, n_chunks)
    )
    pos_cash = unfold_pos_cash(rng, loans, scores)
    cards, card_payments = unfold_credit_cards(rng, loans, scores)
    installments = unfold_installments(rng, loans, scores, card_payments)
    return train, test, bureau, bureau_balance, previous, pos_cash, installments, cards
