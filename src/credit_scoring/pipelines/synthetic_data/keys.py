"""Unique keys that do not depend on the order in which chunks are made."""

from collections.abc import Callable

import numpy as np

from credit_scoring.pipelines.synthetic_data.sampling import IntArray

KeyMaker = Callable[[int], IntArray]
"""Makes that many unused keys, in random order."""

FIRST_APPLICANT, LAST_APPLICANT = 100_001, 456_255
FIRST_PREVIOUS, FIRST_BUREAU = 1_000_001, 5_000_000
_KEY_SPAN = 1_845_000
"""Width of the official ranges of SK_ID_PREV and SK_ID_BUREAU, of which a full-size twin uses about 95 %."""


def draw_applicant_keys(rng: np.random.Generator, n_train: int, n_test: int) -> tuple[IntArray, np.ndarray]:
    """Sorted SK_ID_CURR of all applicants, and which of them belong to application_test (interleaved at random)."""
    n = n_train + n_test
    span = max(LAST_APPLICANT - FIRST_APPLICANT + 1, n)
    keys = np.sort(rng.choice(span, n, replace=False)) + FIRST_APPLICANT
    is_test = np.zeros(n, dtype=bool)
    is_test[rng.choice(n, n_test, replace=False)] = True
    return keys, is_test


def make_key_maker(rng: np.random.Generator, first: int, chunk: int, n_chunks: int) -> KeyMaker:
    """Keys of one chunk: chunk c of C owns `first + c`, `first + c + C`, …, so that chunks never collide."""
    used = np.zeros(0, dtype=np.int64)

    def new_keys(n: int) -> IntArray:
        nonlocal used
        slots = max(_KEY_SPAN // n_chunks, len(used) + n)
        free = np.setdiff1d(np.arange(slots), used, assume_unique=True)
        chosen = rng.permutation(free)[:n]
        used = np.concatenate([used, chosen])
        return first + chunk + n_chunks * chosen

    return new_keys
