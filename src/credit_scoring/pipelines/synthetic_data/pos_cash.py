"""Monthly balances of the earlier consumer and cash loans.

Grain: one month of one loan, from the month of the decision to the month in which the loan was repaid. The number of
instalments still to pay counts down by one a month; early repayment ends the history at once.
"""

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.previous_application import Loans
from credit_scoring.pipelines.synthetic_data.sampling import make_frame, months_before, ragged, text, uniform_of

STATUSES = [
    "Active",
    "Completed",
    "Signed",
    "Approved",
    "Returned to the store",
    "Demand",
    "Amortized debt",
    "Canceled",
    "XNA",
]
ACTIVE, COMPLETED, SIGNED, APPROVED, RETURNED, DEMAND, AMORTIZED, CANCELED, UNKNOWN = range(9)
_FIRST_MONTH = -96


def unfold_pos_cash(rng: np.random.Generator, loans: Loans, scores: Scores) -> pd.DataFrame:
    """Unfold the monthly history of every loan that is not a card."""
    loans = loans.select(~loans.is_card)
    n = len(loans.client)
    due_month = months_before(loans.first_due)
    start = np.minimum(months_before(loans.decision), due_month)
    repaid_month = due_month + loans.repaid_at - 1 + (rng.random(n) < 0.45)
    # A remainder that nobody claims stays on the books with growing days past due.
    laziness = -scores["DISCIPLINE"][loans.client]
    forgotten = rng.random(n) < 0.0065 * np.exp(0.5 * laziness)
    end = np.where(forgotten, -1, np.minimum(repaid_month, -1 - (rng.random(n) < 0.35)))
    start = np.maximum(start, _FIRST_MONTH)
    loan, position = ragged(np.maximum(end - start + 1, 0))
    month = start[loan] + position
    paid = np.clip(month - due_month[loan] + 1, 0, None)
    left = np.maximum(loans.term[loan] - paid, 0)
    done = month >= repaid_month[loan]
    left = np.where(done, 0, left)
    status = np.where(done & ~forgotten[loan], COMPLETED, ACTIVE)
    u = rng.random(len(loan))
    opening = (position == 0) & (paid == 0)
    status[opening & (u < 0.085)] = SIGNED
    status[opening & (u > 0.985)] = RETURNED
    status[opening & (u > 0.992)] = APPROVED
    status[opening & (u > 0.99985)] = CANCELED
    nothing_left = (status == ACTIVE) & (left == 0)
    status[nothing_left & (u < 0.018)] = DEMAND
    status[nothing_left & (u > 0.9985)] = AMORTIZED
    status[(u > 0.4) & (u < 0.4 + 2e-7)] = UNKNOWN

    late_share = uniform_of(-2.88 + 0.52 * laziness[loan] + 0.55 * rng.standard_normal(n)[loan])
    late = (rng.random(len(loan)) < late_share) & (paid > 0) & (status == ACTIVE)
    days_late = np.where(late, np.ceil(np.exp(rng.normal(1.7, 1.1, len(loan)))), 0)
    tolerated = rng.random(len(loan)) < 0.45
    overdue = np.where(forgotten[loan] & done, 30 * (month - repaid_month[loan]) + 5, 0)
    counts_unknown = ((status == SIGNED) & (rng.random(len(loan)) < 0.27)) | (
        (status == APPROVED) & (rng.random(len(loan)) < 0.69)
    )
    extended = (rng.random(len(loan)) < 0.0007) & (left > 0)
    return make_frame(
        "POS_CASH_balance",
        {
            "SK_ID_PREV": loans.sk_id_prev[loan],
            "SK_ID_CURR": loans.sk_id_curr[loan],
            "MONTHS_BALANCE": month,
            "CNT_INSTALMENT": np.where(
                counts_unknown, np.nan, np.where(done & ~forgotten[loan], loans.repaid_at[loan], loans.term[loan])
            ),
            "CNT_INSTALMENT_FUTURE": np.where(counts_unknown, np.nan, np.where(extended, loans.term[loan] + 3, left)),
            "NAME_CONTRACT_STATUS": text(status, STATUSES),
            "SK_DPD": np.maximum(days_late, overdue),
            "SK_DPD_DEF": np.where(tolerated | (overdue > 0), 0, days_late),
        },
    )
