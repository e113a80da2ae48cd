"""Which raw contracts have rules that no other one has."""

from credit_scoring.schemas.raw import RAW_TABLES

RULES_OF_THEIR_OWN = [
    name
    for name, contract in RAW_TABLES.items()
    if not any(contract.definition.items() < other.definition.items() for other in RAW_TABLES.values())
]
"""Without the applications to score: their columns are those, as objects, of the applications to learn from."""
