"""How often Python looks for garbage in a process of the project: seldom, as long as what it makes stays to the end.

What a start imports is hundreds of thousands of objects, and no garbage. Looking among them every 700 new ones takes a
part of every start, and looking through all of them once more a part of every end
(docs/adr/0043-garbage-is-not-looked-for-while-a-process-starts.md). Modules that start a process import this one.
"""

import atexit
import gc

_USUAL = gc.get_threshold()

gc.set_threshold(100_000)
atexit.register(gc.freeze)


def settle() -> None:
    """Let what is there stay, and look for garbage as often as Python does by itself: what follows are requests.

    What stays is not looked at again, and so its memory is not copied in the processes that are forked. That there is
    garbage among it is not asked: after a start, it is one object in a thousand.
    """
    gc.freeze()
    gc.set_threshold(*_USUAL)
