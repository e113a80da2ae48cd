"""A notebook's kernel as a fork of the server of commands; the process that Jupyter starts only waits for it."""

import os
import signal
import sys
from pathlib import Path

from tests.commands import run_command


def main() -> None:
    """Be the kernel, until the notebook or the server of commands ends."""
    import matplotlib as mpl  # noqa: PLC0415 - not in the process that waits
    from ipykernel.kernelapp import launch_new_instance  # noqa: PLC0415 - likewise

    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    mpl.rcParams["backend"] = "module://matplotlib_inline.backend_inline"  # the variable for it came after the import
    launch_new_instance()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Jupyter interrupts a kernel before it shuts it down
    sys.exit(run_command(Path.cwd(), "tests.kernel", *sys.argv[1:]).returncode)
