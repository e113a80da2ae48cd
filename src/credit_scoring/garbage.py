"""How often Python collects garbage in a process of the project: seldom while it starts, and not at its end.

A start imports hundreds of thousands of objects that stay. By default, Python examines new ones every 700 and all of
them now and then, and once more at the end (docs/adr/0043-garbage-is-not-looked-for-while-a-process-starts.md). Modules
that start a process import this one.
"""

import atexit
import gc

_USUAL = gc.get_threshold()

gc.set_threshold(100_000)
atexit.register(gc.freeze)


def settle() -> None:
    """Keep all present objects out of later collections, and collect as often as Python does by default.

    For a process that now serves requests: forks do not copy memory that no collection touches. What is garbage by now,
    one object in a thousand, stays.
    """
    gc.freeze()
    gc.set_threshold(*_USUAL)
