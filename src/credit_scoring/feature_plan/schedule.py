"""Which steps of a plan are computed together, and where their values lie.

One numpy call on a few rows costs the same for one value as for twenty. All values of a frame are therefore rows of one
matrix, and equal operations that need nothing of one another are one call on several rows of it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from credit_scoring.feature_plan.description import Frame, Plan, Step
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


_Task = Step | Frame


def schedule(plan: Plan) -> Schedule:
    """Put the steps of a plan into few batches.

    Of what can be computed, that is taken first of which nothing alike is still waiting for something else; else what
    has the greatest share of its like.
    """
    frames = {frame.name: frame for frame in plan.frames}
    steps = {(step.frame, step.name): step for step in plan.steps}
    needs: dict[_Task, set[_Task]] = {
        **{frame: {*_behind(frame, frames), *(steps[frame.of, name] for name in frame.by)} for frame in plan.frames},
        **{step: _needs(step, frames, steps) for step in plan.steps},
    }
    needed_by: dict[_Task, list[_Task]] = defaultdict(list)
    for task, others in needs.items():
        for other in others:
            needed_by[other].append(task)
    kinds = {task: _kind(task) for task in needs}
    left = Counter(kinds.values())
    ready: dict[Hashable, list[_Task]] = defaultdict(list)
    waiting = {task: len(others) for task, others in needs.items()}
    for task, count in waiting.items():
        if not count:
            ready[kinds[task]].append(task)
    done = Schedule()
    while ready:
        kind = max(ready, key=lambda one: len(ready[one]) / left[one])
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


def _behind(frame: Frame, frames: dict[str, Frame]) -> set[_Task]:
    return {frames[frame.of]} if frame.of in frames and frame.name != frame.of else set()


def _needs(step: Step, frames: dict[str, Frame], steps: dict[tuple[str, str], Step]) -> set[_Task]:
    """Return what a step is computed from, its frame included."""
    frame = frames[step.frame]
    behind = step.operation in AGGREGATES or step.operation in ("take", "key")
    of = step.source or (frame.of if behind else frame.name)
    values = [one for one in step.operands if isinstance(one, str) and step.operation != "raw"]
    read = [(of, name) for name in values] + [(frame.name, name) for name in (*step.by, *step.order)]
    if step.where:
        read.append((of, step.where))
    source: set[_Task] = {frames[step.source]} if step.source else set()
    return {frame, *source, *(steps[one] for one in read)}


def _kind(task: _Task) -> Hashable:
    """Name what may be one batch."""
    if isinstance(task, Frame):
        return task
    if task.operation in AGGREGATES:
        return task.frame, "aggregate"
    digits = task.operands[1:] if task.operation == "round" else ()
    return task.frame, task.operation, task.source, task.by, task.order, digits, len(task.operands)
