"""Entry point of `credit-scoring`: `decide`, `decisions`, `desk`, `explain`, or else the same as `kedro run` here."""

import sys
from pathlib import Path
from typing import Any

import credit_scoring.garbage  # noqa: F401 - this starts a process


def main(*args: Any, **kwargs: Any) -> Any:
    """Decide on applicants, look after recorded decisions, open the desk, explain a decision, or do as `kedro run`."""
    if not args and sys.argv[1:2] == ["decide"]:
        from credit_scoring.decide import main as decide  # noqa: PLC0415 - needs no Kedro, which takes seconds

        sys.exit(decide(sys.argv[2:]))
    if not args and sys.argv[1:2] == ["decisions"]:
        from credit_scoring.decision_log.commands import main as decisions  # noqa: PLC0415

        sys.exit(decisions(sys.argv[2:]))
    if not args and sys.argv[1:2] == ["desk"]:
        from credit_scoring.desk.command import main as desk  # noqa: PLC0415

        sys.exit(desk(sys.argv[2:]))
    if not args and sys.argv[1:2] == ["explain"]:
        from credit_scoring.desk.explain import main as explain  # noqa: PLC0415

        sys.exit(explain(sys.argv[2:]))
    from kedro.framework.cli.utils import find_run_command  # noqa: PLC0415
    from kedro.framework.project import configure_project  # noqa: PLC0415

    package_name = Path(__file__).parent.name
    configure_project(package_name)
    return find_run_command(package_name)(*args, **kwargs)


if __name__ == "__main__":
    main()
