"""Single rows of histories with what is known of each: what row-level models learn from.

One row is an earlier application, a credit at another lender, or an instalment. Its columns are the measures that the
features of that history aggregate, so that both mean the same, and the categories of the raw row. All of them come from
the history alone: nothing of the application form, hence no protected attribute, is among them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features import bureau, installments, previous_application
from credit_scoring.features.expressions import CLIENT_KEY
from credit_scoring.features.records import Rows


@dataclass(frozen=True, eq=False)
class History:
    """A history of whose single rows models are made.

    Attributes:
        name: Prefix of its features, in small letters: see `credit_scoring.models.row_models.HISTORY_NAMES`.
        table: Raw table, whose clean rows it is made of.
        rows: Their record.
        columns: Columns of the raw row that are kept beside the measures.
        prepare: Clean table -> the rows to be measured, where they are not its own.
    """

    name: str
    table: str
    rows: Rows
    columns: tuple[str, ...]
    prepare: Callable[[ir.Table], ir.Table] | None = None

    def measure(self, table: ir.Table) -> ir.Table:
        """Measure the single rows of a clean table.

        Returns:
            One row per row of the history, by SK_ID_CURR and the latest first: SK_ID_CURR, RANK (1 is the latest),
            the measures and `columns`; numbers and conditions as float32, categories as text, null as measured.
        """
        measured = self.rows.measure(self.prepare(table) if self.prepare else table)
        names = [measure.name for measure in self.rows.measures if measure.value is not True] + list(self.columns)
        kinds = measured.schema()
        values = {name: _[name] if kinds[name].is_string() else _[name].cast("float32") for name in names}
        return measured.select(CLIENT_KEY, RANK=_.RANK.cast("float32"), **values).order_by(CLIENT_KEY, "RANK")


HISTORIES: tuple[History, ...] = (
    History(
        "previous",
        "previous_application",
        previous_application.APPLICATIONS,
        ("NAME_CONTRACT_TYPE", "NAME_CASH_LOAN_PURPOSE", "NAME_CLIENT_TYPE", "NAME_GOODS_CATEGORY", "NAME_PORTFOLIO",
            "CHANNEL_TYPE", "PRODUCT_COMBINATION"),
    ),
    History("bureau", "bureau", bureau.CREDITS, ("CREDIT_TYPE",)),
    History(
        "installments",
        "installments_payments",
        installments.INSTALMENTS,
        ("DAYS_INSTALMENT", "NUM_INSTALMENT_NUMBER"),
        installments.rank_instalments,
    ),
)  # fmt: skip
"""In the order of the features made of them."""
