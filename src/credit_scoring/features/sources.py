"""The sources of features. To add one, write its module and list its record here."""

from credit_scoring.features import application, bureau, credit_card, installments, pos_cash, previous_application
from credit_scoring.features.records import Source

SOURCES: tuple[Source, ...] = (
    application.SOURCE,
    bureau.SOURCE,
    previous_application.SOURCE,
    pos_cash.SOURCE,
    installments.SOURCE,
    credit_card.SOURCE,
)
"""Every source, the application (the spine of the join) first."""
