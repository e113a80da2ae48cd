"""Whether decisions are recorded, decided without importing what records them."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from credit_scoring.decision_log.settings import LogSettingError, LogSettings, read_log_settings
from credit_scoring.exported_model.folder import ModelFolder

if TYPE_CHECKING:
    from credit_scoring.serving.recording import Recorder

_PACKAGES = ("sqlalchemy", "alembic")


def check_log_settings() -> LogSettings:
    """Read how decisions are recorded.

    Raises:
        LogSettingError: If that cannot be meant, or packages are missing.
    """
    settings = read_log_settings()
    needed = _PACKAGES + (("psycopg",) if settings.address.startswith("postgres") else ())
    missing = [name for name in needed if find_spec(name) is None]
    if settings.mode != "off" and missing:
        raise LogSettingError(
            f"Decisions cannot be recorded: {', '.join(missing)} is not installed.\n"
            "Hint: pip install 'credit-scoring[log]', or DECISION_LOG=off."
        )
    return settings


def make_recorder(folder: ModelFolder) -> "Recorder | None":
    """Return what records the decisions of a model, or nothing if that is not wished for.

    Raises:
        LogSettingError, LogError: If they cannot be recorded as wished.
    """
    settings = check_log_settings()
    if settings.mode == "off":
        return None
    from credit_scoring.serving.recording import Recorder  # noqa: PLC0415 - its packages are an extra

    return Recorder(settings, folder.identity, str(folder.contract.parameters["language"]))
