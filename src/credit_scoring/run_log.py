"""What a run says of itself while it goes on: a line per node, and how far what takes long has come."""

import logging
import time
from collections.abc import Iterator
from threading import Timer
from typing import Protocol, TypeVar

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds after which a reader wants to know what a run is doing."""

Item_co = TypeVar("Item_co", covariant=True)


class Counted(Protocol[Item_co]):
    """What can be gone through and has a length."""

    def __len__(self) -> int:
        """Return how many items there are."""

    def __iter__(self) -> Iterator[Item_co]:
        """Give the items."""


class Progress:
    """Say, whenever some seconds have passed, how much is done.

    Args:
        total: How many items there are.
        of: What they are, in the plural: "folds".
    """

    def __init__(self, total: int, of: str) -> None:
        self._total, self._of = total, of
        self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """Take note of how many are done."""
        if time.monotonic() - self._told >= PATIENCE:
            self._told = time.monotonic()
            logger.info("%9d of %d %s", done, self._total, self._of)


def tell_progress(items: Counted[Item_co], of: str) -> Iterator[Item_co]:
    """Yield the items of what has a length, and say how many are done, see `Progress`."""
    progress = Progress(len(items), of)
    for done, item in enumerate(items):
        progress.tell(done)
        yield item


class RunLogHooks:
    """Log each node when it has ended: its number of how many, its name, its seconds with loading and saving.

    A node that takes longer than some seconds is named before it has ended as well. A node has ended when the next one
    begins: one that gives its tables in parts is saved many times.
    """

    def __init__(self) -> None:
        self._node: Node | None = None

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Count the nodes."""
        self._number, self._total = 0, len(pipeline.nodes)

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """Begin with a node."""
        self._begin(node)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Begin with a node that loads nothing."""
        self._begin(node)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Log the last node."""
        self._end()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Forget the node that failed: the next run of this process tells nothing of it."""
        if self._node is not None:
            self._waiting.cancel()
        self._node = None

    def _begin(self, node: Node) -> None:
        if node is self._node:
            return
        self._end()
        self._node, self._since = node, time.monotonic()
        self._number += 1
        self._waiting = Timer(PATIENCE, self._say, (node, "…"))
        self._waiting.daemon = True
        self._waiting.start()

    def _end(self) -> None:
        if self._node is not None:
            self._waiting.cancel()
            self._say(self._node, f"{time.monotonic() - self._since:5.1f} s")
        self._node = None

    def _say(self, node: Node, state: str) -> None:
        logger.info("%4d/%d  %-37s %s", self._number, self._total, node.short_name, state)
