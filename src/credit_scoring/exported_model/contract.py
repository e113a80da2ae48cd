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


@dataclass(frozen=True)
class Contract:
    """What a model may be sent.

    Attributes:
        columns: Columns of the signature, in its order, which is that of the scorer's features.
        parameters: Default value of each parameter; its type is that of the value.
    """

    columns: tuple[Column, ...]
    parameters: Mapping[str, Any]

    @classmethod
    def read(cls, signature: Mapping[str, str], described: Sequence[Mapping[str, Any]]) -> Self:
        """Put together what the signature in `MLmodel` and `input_columns.json` say."""
        facts = {column["name"]: column for column in described}
        columns = tuple(
            Column(item["name"], item["type"] == "string", item["required"], facts.get(item["name"], {}))
            for item in json.loads(signature["inputs"])
        )
        return cls(columns, {item["name"]: item["default"] for item in json.loads(signature["params"])})
