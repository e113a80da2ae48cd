"""What a model may be sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Column:
    """One column of a request.

    Attributes:
        name: Its name.
        is_text: Whether it holds categories as text; otherwise it holds numbers.
        required: Whether it must be there. Any column may hold null.
        facts: What `input_columns.json` says of it.
    """

    name: str
    is_text: bool
    required: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plausible(self) -> str:
        """Which numbers are plausible, in words; empty where all are."""
        ends = zip(("at least", "at most"), self.facts.get("plausible", ()), strict=False)
        return " and ".join(f"{words} {end:.10g}" for words, end in ends if end is not None)


@dataclass(frozen=True)
class Contract:
    """What a model may be sent.

    Attributes:
        columns: Columns of the signature, in its order, which is that of the scorer's features.
        parameters: Default value of each parameter; its type is that of the value.
        known_names: What else may be sent and is not looked at, these columns included: identifiers, protected
            attributes, features that other models use. Any other name is a mistake of whoever sends it.
    """

    columns: tuple[Column, ...]
    parameters: Mapping[str, Any]
    known_names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Let the columns be known, too."""
        names = frozenset(column.name for column in self.columns)
        object.__setattr__(self, "known_names", self.known_names | names)

    @classmethod
    def read(
        cls, signature: Mapping[str, str], described: Sequence[Mapping[str, Any]], known_names: Sequence[str]
    ) -> Self:
        """Put together what the signature in `MLmodel`, `input_columns.json` and `known_names.json` say."""
        facts = {column["name"]: column for column in described}
        columns = tuple(
            Column(item["name"], item["type"] == "string", item["required"], facts.get(item["name"], {}))
            for item in json.loads(signature["inputs"])
        )
        parameters = {item["name"]: item["default"] for item in json.loads(signature["params"])}
        return cls(columns, parameters, frozenset(known_names))
