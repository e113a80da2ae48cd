"""Evaluating a plan with numpy alone, from the raw tables of one applicant or of many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from credit_scoring.feature_plan.aggregates import Aggregates
from credit_scoring.feature_plan.description import FILTER, TABLE, Operand, Plan, PlanError, Text
from credit_scoring.feature_plan.operations import ELEMENTWISE, OPERATIONS, Numbers
from credit_scoring.feature_plan.rows import Groups, Indices, Matches, lead, number_rows
from credit_scoring.feature_plan.schedule import Batch, schedule
from credit_scoring.feature_plan.tables import Implausible, RawTables, Tables


@dataclass(frozen=True)
class Features:
    """Features of some applicants.

    Attributes:
        names: Names of the features.
        numbers: One row per applicant, one column per feature; null is NaN, and a text any number.
        texts: Feature that is a text -> that of each applicant; None is null.
        applicants: SK_ID_CURR of each row, in the order of the table `application`.
        dropped: Raw table -> number of its rows that are left out of each applicant's: by cleaning, and exact copies
            under a key; of a request only.
        implausible: Values that their contracts do not call plausible; of a request only.
    """

    names: Sequence[str]
    numbers: Numbers
    texts: Mapping[str, Sequence[str | None]]
    applicants: npt.NDArray[np.int64]
    dropped: Mapping[str, npt.NDArray[np.intp]]
    implausible: Sequence[Implausible]

    def take(self, rows: Sequence[int]) -> "Features":
        """Return the features of some of the applicants; what is told of raw tables stays that of all."""
        texts = {name: [told[row] for row in rows] for name, told in self.texts.items()}
        return replace(self, numbers=self.numbers[rows], texts=texts, applicants=self.applicants[rows])

    def encode(self, codes: Mapping[str, Mapping[str | None, float]]) -> Numbers:
        """Return the rows that `CreditScorer.score_coded` takes.

        Args:
            codes: The scorer's `category_codes`; a text that it does not name becomes NaN.
        """
        encoded = self.numbers.copy()
        for name, texts in self.texts.items():
            encoded[:, self.names.index(name)] = [codes[name].get(text, np.nan) for text in texts]
        return encoded


class _State:
    """What is known so far in one evaluation, by place of the frame in the plan.

    Attributes:
        values: Matrix of each frame, one row per value.
        rows: Where each row of a filter lies in the frame behind; None where it has all of them.
        groups: How the rows of the frame behind fall into groups.
    """

    def __init__(self, tables: RawTables, n_frames: int) -> None:
        self.tables = tables
        self.values: list[Numbers] = [_NO_VALUES] * n_frames
        self.rows: list[Indices | None] = [None] * n_frames
        self.groups: list[Groups] = [_NO_GROUPS] * n_frames
        self.matches: dict[tuple[Any, ...], Matches] = {}


_NO_VALUES: Numbers = np.empty((1, 0))
_NO_GROUPS = Groups(_NO_VALUES)
_Action = Callable[[_State], None]


class FeaturePlan:
    """A plan that is ready to be evaluated, by any number of threads at once.

    Args:
        plan: The plan.

    Attributes:
        plan: The plan.

    Raises:
        PlanError: If an operation is unknown.
    """

    def __init__(self, plan: Plan) -> None:
        if unknown := sorted({step.operation for step in plan.steps} - OPERATIONS):
            raise PlanError(f"The feature plan asks for {', '.join(unknown)}, of which this code knows nothing.")
        self.plan = plan
        self._tables = Tables(plan)
        scheduled = schedule(plan)
        self._places = scheduled.places
        self._number = {frame.name: number for number, frame in enumerate(plan.frames)}
        self._actions = [self._act(batch) for batch in scheduled.batches]
        self._spine = self._number[plan.spine]
        places = self._places[plan.spine]
        self._names = list(plan.outputs)
        self._outputs = np.array([places[value] for value in plan.outputs.values()], dtype=np.intp)

    @classmethod
    def read(cls, file: Path | bytes) -> Self:
        """Read a plan from its file, or from what the file holds.

        Raises:
            PlanError: If it is of another version.
        """
        content = file if isinstance(file, bytes) else file.read_bytes()
        return cls(Plan.from_json(content.decode()))

    def evaluate(self, applicants: Sequence[Mapping[str, Any]], most_rows: int | None = None) -> Features:
        """Compute the features of applicants from what a request holds.

        Args:
            applicants: Of each, by the name of the raw table in small letters, its `application`, one record, and its
                histories, lists of records in any order. A history that is not there is none, a column null. The same
                applicant may come twice.
            most_rows: Most rows of a table that an applicant may have; any number without.

        Raises:
            InputError: If a table or a column is unknown, a value of the wrong type, a whole number null, a key stands
                for different rows, a row leads to another applicant or none, or there are too many.
        """
        return self._evaluate(self._tables.read(applicants, most_rows))

    def evaluate_typed(self, tables: Mapping[str, Mapping[str, Any]]) -> Features:
        """Compute the features of applicants from typed tables: what reading a raw file gives.

        Args:
            tables: Raw table -> column -> values: float64 in which null is NaN, and texts as Arrow encodes them, a pair
                of places, -1 for null, and distinct texts. No row is a copy of another one with a key. Histories may
                hold the rows of others, in any order.
        """
        return self._evaluate(self._tables.take(tables))

    def _evaluate(self, tables: RawTables) -> Features:
        state = _State(tables, len(self.plan.frames))
        with np.errstate(all="ignore"):
            for act in self._actions:
                act(state)
        numbers = state.values[self._spine].take(self._outputs, 0).T
        return Features(
            self._names,
            numbers,
            {name: tables.decode(numbers[:, self._names.index(name)]) for name in self.plan.texts},
            tables.applicants,
            {table: given - self._count_kept(table, state) for table, given in tables.n_given.items()},
            tables.implausible,
        )

    def _count_kept(self, table: str, state: _State) -> npt.NDArray[np.intp]:
        """Count the rows of each applicant that cleaning keeps."""
        owners, kept = state.tables.owners[table], state.rows[self._number[self.plan.kept[table]]]
        return np.bincount(owners if kept is None else owners[kept], minlength=len(state.tables.applicants))

    # -- from batches to actions --------------------------------------------------------------------------------------

    def _act(self, batch: Batch) -> _Action:
        if not batch.steps:
            return self._make_frame(batch)
        step = batch.steps[0]
        if step.operation in ELEMENTWISE:
            return self._compute(batch, ELEMENTWISE[step.operation])
        between = {
            "raw": self._read,
            "take": self._take,
            "key": self._key,
            "look_up": self._look_up,
            "is_found": self._look_up,
            "row_number": self._window,
            "lead": self._window,
        }
        return between.get(step.operation, self._aggregate)(batch)

    def _make_frame(self, batch: Batch) -> _Action:
        frame, number = batch.frame, self._number[batch.frame.name]
        n_values = sum(step.frame == frame.name for step in self.plan.steps)
        if frame.kind == TABLE:

            def read(state: _State) -> None:
                state.values[number] = np.empty((n_values, state.tables.n_rows[frame.of]))

            return read
        of, by = self._number[frame.of], self._at(frame.of, frame.by)
        if frame.kind == FILTER:

            def choose(state: _State) -> None:
                true = state.values[of][by[0]] == 1
                n_rows = int(np.count_nonzero(true))
                state.rows[number] = None if n_rows == len(true) else np.flatnonzero(true)
                state.values[number] = np.empty((n_values, n_rows))

            return choose

        def group(state: _State) -> None:
            state.groups[number] = groups = Groups(state.values[of].take(by, 0))
            state.values[number] = np.empty((n_values, len(groups)))

        return group

    def _compute(self, batch: Batch, operation: Callable[..., Any]) -> _Action:
        number, to = self._number[batch.frame.name], _slice(batch)
        operands = [
            self._operands(batch.frame.name, [step.operands[i] for step in batch.steps])
            for i in range(len(batch.steps[0].operands))
        ]
        if batch.steps[0].operation == "round":
            operands[1] = _constant_of(batch.steps[0].operands[1])
        if len(operands) == 1:
            (one,) = operands

            def compute_1(state: _State) -> None:
                values = state.values[number]
                operation(values[to], one(values))

            return compute_1
        if len(operands) == 2:
            first, second = operands

            def compute_2(state: _State) -> None:
                values = state.values[number]
                operation(values[to], first(values), second(values))

            return compute_2

        def compute(state: _State) -> None:
            values = state.values[number]
            operation(values[to], *[operand(values) for operand in operands])

        return compute

    def _operands(self, frame: str, operands: Sequence[Operand]) -> Callable[[Numbers], Any]:
        """Return what picks operands, one per value of a batch, from the matrix of a frame."""
        constants = [self._constant(one) for one in operands if not isinstance(one, str)]
        if not constants:
            return _picker(self._at(frame, operands))
        if len(constants) == len(operands):
            return _constant_of(constants[0] if len(set(constants)) == 1 else np.array([constants]).T)
        at = self._at(frame, [one if isinstance(one, str) else next(iter(self._places[frame])) for one in operands])
        constant = np.array([[0.0 if isinstance(one, str) else self._constant(one)] for one in operands])
        is_constant = np.array([[not isinstance(one, str)] for one in operands])
        return lambda values: np.where(is_constant, constant, values.take(at, 0))

    def _constant(self, operand: Operand) -> float:
        if isinstance(operand, Text):
            return self._tables.code(operand.text)
        return np.nan if operand is None else float(operand)

    def _at(self, frame: str, names: Sequence[Any]) -> Indices:
        return np.array([self._places[frame][name] for name in names], dtype=np.intp)

    def _read(self, batch: Batch) -> _Action:
        number, to, table = self._number[batch.frame.name], _slice(batch), batch.frame.of
        names = [str(step.operands[0]) for step in batch.steps]

        def read(state: _State) -> None:
            state.tables.fill(table, names, state.values[number][to])

        return read

    def _take(self, batch: Batch) -> _Action:
        number, to, of = self._number[batch.frame.name], _slice(batch), self._number[batch.frame.of]
        at = self._at(batch.frame.of, [step.operands[0] for step in batch.steps])

        def take(state: _State) -> None:
            rows, values = state.rows[number], state.values[of].take(at, 0)
            state.values[number][to] = values if rows is None else values.take(rows, 1)

        return take

    def _key(self, batch: Batch) -> _Action:
        number, to, of = self._number[batch.frame.name], _slice(batch), self._number[batch.frame.of]
        at = self._at(batch.frame.of, [step.operands[0] for step in batch.steps])

        def key(state: _State) -> None:
            state.values[number][to] = state.values[of].take(at, 0).take(state.groups[number].first_rows, 1)

        return key

    def _look_up(self, batch: Batch) -> _Action:
        step = batch.steps[0]
        number, to, source = self._number[batch.frame.name], _slice(batch), self._number[step.source]
        by, link = self._at(batch.frame.name, step.by), (batch.frame.name, step.source, step.by)

        def match(state: _State) -> Matches:
            if link not in state.matches:
                state.matches[link] = state.groups[source].match(state.values[number].take(by, 0))
            return state.matches[link]

        if step.operation == "is_found":

            def is_found(state: _State) -> None:
                state.values[number][to] = match(state).found

            return is_found
        at = self._at(step.source, [one.operands[0] for one in batch.steps])

        def look_up(state: _State) -> None:
            state.values[number][to] = match(state).take(state.values[source].take(at, 0))

        return look_up

    def _window(self, batch: Batch) -> _Action:
        number, at = self._number[batch.frame.name], batch.first
        step = batch.steps[0]
        by, order = self._at(batch.frame.name, step.by), self._at(batch.frame.name, step.order)
        operands = self._at(batch.frame.name, step.operands)
        window, to = (lead, _slice(batch)) if step.operation == "lead" else (number_rows, at)

        def compute(state: _State) -> None:
            values = state.values[number]
            values[to] = window(values.take(by, 0), values.take(order, 0), values.take(operands, 0))

        return compute

    def _aggregate(self, batch: Batch) -> _Action:
        number, to, of = self._number[batch.frame.name], _slice(batch), self._number[batch.frame.of]
        aggregates = Aggregates(batch.steps, self._places[batch.frame.of])

        def aggregate(state: _State) -> None:
            aggregates.compute(state.values[of], state.groups[number], state.values[number][to])

        return aggregate


def _slice(batch: Batch) -> slice:
    return slice(batch.first, batch.first + len(batch.steps))


def _picker(at: Indices) -> Callable[[Numbers], Numbers]:
    """Return what takes rows of a matrix: as a view where they follow one another."""
    if (np.diff(at) == 1).all():
        follow = slice(int(at[0]), int(at[-1]) + 1)
        return lambda values: values[follow]
    return lambda values: values.take(at, 0)


def _constant_of(value: Any) -> Callable[[Numbers], Any]:
    return lambda _: value
