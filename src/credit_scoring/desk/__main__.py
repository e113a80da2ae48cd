"""Start the desk: `python -m credit_scoring.desk`, configured by environment variables (see `settings`)."""

import logging
import secrets
import sys

import uvicorn
from starlette.applications import Starlette

from credit_scoring import garbage
from credit_scoring.decision_log.settings import LogSettingError
from credit_scoring.desk.application import make_application, open_desk
from credit_scoring.desk.settings import DeskSettingError, read_desk_settings
from credit_scoring.exported_model.manifest import ModelFolderError

_FIRST = "supervisor"

logger = logging.getLogger("credit_scoring.desk")


def make() -> Starlette:
    """Return the application of a worker."""
    application = make_application(open_desk(read_desk_settings()))
    garbage.settle()
    return application


def main() -> int:
    """Open the desk and serve it until told to stop.

    Returns:
        0 after a stop that was asked for, 1 if model or source tables cannot be used, 2 if settings are not in order.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("credit_scoring").setLevel(logging.INFO)
    try:
        settings = read_desk_settings()
        desk = open_desk(settings)
    except (DeskSettingError, LogSettingError) as error:
        logger.error("%s", error)
        return 2
    except (ModelFolderError, ValueError, OSError) as error:
        logger.error("%s", error)
        return 1
    if desk.accounts.is_empty and not settings.proxy_header:
        password = secrets.token_urlsafe(12)
        desk.accounts.add(_FIRST, "supervisor", password, once=True)
        sys.stdout.write(
            f"There is no account yet. Sign in once as {_FIRST} with the password {password}\n"
            "More accounts: credit-scoring desk add-user NAME --role officer\n"
        )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    sys.stdout.write(f"The desk opens at http://{host}:{settings.port}\n")
    sys.stdout.flush()
    uvicorn.run(
        "credit_scoring.desk.__main__:make",
        factory=True,
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is the address of the connection, not what it says
        log_level="warning",
        timeout_keep_alive=30,
        limit_concurrency=200,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
