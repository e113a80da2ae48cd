"""Formulas of the features, read off the Ibis expressions that compute them.

The graph of operations behind a column is turned into a small algebra (`terms`) and simplified on the way
(`simplification`), then written in one line (`writing`). What is simplified are identities only: casts go, an
aggregate of partial aggregates is the plain aggregate that it computes, five sums are a slope, a null that an aggregate
would skip is a condition. Columns of an intermediate table that holds something new per row (a loan, an instalment) are
not inlined: they are `Defined`, and defined once.
"""

from credit_scoring.features.formulas.nulls import null_reasons
from credit_scoring.features.formulas.reading import column_formulas, drops_repeats, row_conditions
from credit_scoring.features.formulas.terms import Call, Column, Nouns, Rows, Term, definitions
from credit_scoring.features.formulas.writing import write_cleaning, write_formula, write_term

__all__ = [
    "Call",
    "Column",
    "Nouns",
    "Rows",
    "Term",
    "column_formulas",
    "definitions",
    "drops_repeats",
    "null_reasons",
    "row_conditions",
    "write_cleaning",
    "write_formula",
    "write_term",
]
