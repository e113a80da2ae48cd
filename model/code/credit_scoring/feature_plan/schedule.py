"""Which steps of a plan are computed together, and where their values lie.

One numpy call on a few rows costs the same for one value as for twenty. All values of a frame are therefore rows of one
matrix, and equal operations that need nothing of one another are one call on several rows of it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from credit_scoring.feature_plan.description import TABLE, Frame, Plan, Step
from credit_scoring.feature_plan.operations import AGGREGATES


@dataclass(frozen=True)
class Batch:
    """Steps of one frame that are computed together; none for the frame itself.

    Attributes:
        frame: The frame.
        steps: Equal operations, or aggregates of the same groups.
        first: Place of the first value in the matrix of the frame; the others follow.
    """

    frame: Frame
    steps: tuple[Step, ...] = ()
    first: int = 0


@dataclass
class Schedule:
    """Batches in the order in which they are computed.

    Attributes:
        batches: Every frame before its values, every value once.
        places: Frame -> value -> its place in the matrix of the frame.
    """

    batches: list[Batch] = field(default_factory=list)
    places: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, frame: Frame, steps: Sequence[Step]) -> None:
        """Append a batch and place its values."""
        places = self.places[frame.name]
        self.batches.append(Batch(frame, tuple(steps), len(places)))
        for step in steps:
            places[step.name] = len(places)


Task: TypeAlias = Step | Frame


def dependencies(plan: Plan) -> dict[Task, set[Task]]:
    """Return what each frame and each step is made from, a step's frame included."""
    frames = {frame.name: frame for frame in plan.frames}
    steps = {(step.frame, step.name): step for step in plan.steps}
    rows: dict[Task, set[Task]] = {
        frame: {frames[frame.of], *(steps[frame.of, name] for name in frame.by)} if frame.kind != TABLE else set()
        for frame in plan.frames
    }
    return rows | {step: _needs(step, frames, steps) for step in plan.steps}


def schedule(plan: Plan) -> Schedule:
    """Put the steps of a plan into few batches.

    Of what can be computed, that is taken first of which nothing alike still waits for something else; else what has
    the greatest share of its like, aggregates last: they are the dearest to take in two parts.
    """
    frames = {frame.name: frame for frame in plan.frames}
    needs = dependencies(plan)
    needed_by: dict[Task, list[Task]] = defaultdict(list)
    for task, others in needs.items():
        for other in others:
            needed_by[other].append(task)
    kinds = {task: _kind(task) for task in needs}
    left = Counter(kinds.values())
    ready: dict[tuple[Hashable, ...], list[Task]] = defaultdict(list)
    waiting = {task: len(others) for task, others in needs.items()}
    for task, count in waiting.items():
        if not count:
            ready[kinds[task]].append(task)

    def urgency(kind: tuple[Hashable, ...]) -> tuple[bool, bool, float]:
        share = len(ready[kind]) / left[kind]
        return share == 1, kind[1] != "aggregate", share

    done = Schedule()
    while ready:
        kind = max(ready, key=urgency)
        tasks = ready.pop(kind)
        left[kind] -= len(tasks)
        frame = tasks[0] if isinstance(tasks[0], Frame) else frames[tasks[0].frame]
        done.add(frame, [task for task in tasks if isinstance(task, Step)])
        for task in tasks:
            for other in needed_by[task]:
                waiting[other] -= 1
                if not waiting[other]:
                    ready[kinds[other]].append(other)
    return done


def _needs(step: Step, frames: dict[str, Frame], steps: dict[tuple[str, str], Step]) -> set[Task]:
    frame = frames[step.frame]
    behind = step.operation in AGGREGATES or step.operation in ("take", "key")
    of = step.source or (frame.of if behind else frame.name)
    values = [one for one in step.operands if isinstance(one, str) and step.operation != "raw"]
    read = [(of, name) for name in values] + [(frame.name, name) for name in (*step.by, *step.order)]
    if step.where:
        read.append((of, step.where))
    source: set[Task] = {frames[step.source]} if step.source else set()
    return {frame, *source, *(steps[one] for one in read)}


def _kind(task: Task) -> tuple[Hashable, ...]:
    """Name what may be one batch."""
    if isinstance(task, Frame):
        return task.name, "frame"
    if task.operation in AGGREGATES:
        return task.frame, "aggregate"
    digits = task.operands[1:] if task.operation == "round" else ()
    return task.frame, task.operation, task.source, task.by, task.order, digits, len(task.operands)
