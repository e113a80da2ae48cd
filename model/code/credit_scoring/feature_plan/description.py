"""What a feature plan says, and the JSON that it is kept in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

VERSION = 1

TABLE, FILTER, GROUP = "table", "filter", "group"


class PlanError(Exception):
    """A plan cannot be made, or cannot be read here."""


@dataclass(frozen=True)
class Text:
    """A text that values are compared with, `{"text": "Closed"}`."""

    text: str


Operand: TypeAlias = str | float | Text | None
"""Name of a value, a number, null, or a text."""


@dataclass(frozen=True)
class Frame:
    """Some rows, and what decides which.

    Attributes:
        name: Its name.
        kind: `table`: the rows of a raw table. `filter`: those rows of another frame of which `by` is true. `group`:
            one row per distinct values of `by` in another frame, null being a value.
        of: The raw table or the other frame.
        by: Names of values of the other frame.
    """

    name: str
    kind: str
    of: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A value for each row of a frame, and how it is computed.

    Attributes:
        frame: The frame.
        name: Name of the value, unique in the frame.
        operation: What is done; see `operations`.
        operands: What it is done to. Values of the frame; of the frame behind where it takes, or aggregates, from
            there; of the frame `source` where it looks them up.
        source: Frame that values are looked up in.
        by: Values of this frame: what is looked up, or what rows are ranked within.
        order: Values of this frame that rows are ranked by, the largest first, nulls last.
        where: Value of the frame behind that is true of the rows to be aggregated; all are without it.
    """

    frame: str
    name: str
    operation: str
    operands: tuple[Operand, ...] = ()
    source: str = ""
    by: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Plan:
    """Features as a list of steps.

    Attributes:
        tables: Raw table -> its contract as data: `grain`, `key`, `parents`, and of each of the `columns` its `type`,
            whether it is `nullable`, a `description` and its bounds or values.
        frames: Every frame, none before those that it is made of.
        steps: Every value, none before those that it is computed from.
        outputs: Feature -> its value in `spine`.
        texts: Those features that are texts.
        kept: Raw table -> the frame of the rows that cleaning keeps.
        vocabulary: Texts that steps compare with or contracts list, in order.
        spine: The frame of the applicants.
        version: Of this description.
    """

    tables: Mapping[str, Mapping[str, Any]]
    frames: Sequence[Frame]
    steps: Sequence[Step]
    outputs: Mapping[str, str]
    texts: Sequence[str]
    kept: Mapping[str, str]
    vocabulary: Sequence[str]
    spine: str
    version: int = field(default=VERSION)

    def to_json(self) -> str:
        """Write the plan, one frame, step or column per line."""
        frames = [
            {"name": one.name, "kind": one.kind, "of": one.of} | ({"by": one.by} if one.by else {})
            for one in self.frames
        ]
        parts = {
            "version": self.version,
            "spine": self.spine,
            "outputs": self.outputs,
            "texts": list(self.texts),
            "kept": self.kept,
            "frames": frames,
            "steps": [_written(step) for step in self.steps],
            "vocabulary": list(self.vocabulary),
            "tables": self.tables,
        }
        return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(part)}" for name, part in parts.items()) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a plan.

        Raises:
            PlanError: If it is of another version.
        """
        parts = json.loads(text)
        if parts.get("version") != VERSION:
            raise PlanError(
                f"The feature plan is of version {parts.get('version')}, this code reads version {VERSION}.\n"
                "Hint: export the model again with this version of the project."
            )
        frames = [Frame(one["name"], one["kind"], one["of"], tuple(one.get("by", ()))) for one in parts["frames"]]
        return cls(**{**parts, "frames": frames, "steps": [_read(step) for step in parts["steps"]]})


def _written(step: Step) -> dict[str, Any]:
    told = {
        "in": step.frame,
        "name": step.name,
        "do": step.operation,
        "of": [vars(one) if isinstance(one, Text) else one for one in step.operands],
    }
    extra = {"from": step.source, "by": step.by, "order": step.order, "where": step.where}
    return told | {name: value for name, value in extra.items() if value}


def _read(step: Mapping[str, Any]) -> Step:
    by, order = tuple(step.get("by", ())), tuple(step.get("order", ()))
    operands = tuple(Text(**one) if isinstance(one, dict) else one for one in step["of"])
    return Step(step["in"], step["name"], step["do"], operands, step.get("from", ""), by, order, step.get("where", ""))


def _lines(part: Any) -> str:
    if isinstance(part, Mapping):
        return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in part.items()) + "\n}"
    if isinstance(part, list) and part and isinstance(part[0], dict):
        return "[\n" + ",\n".join(f"  {json.dumps(one)}" for one in part) + "\n]"
    return json.dumps(part)
