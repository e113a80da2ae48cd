"""Side effects of a run: what is checked before anything is computed."""

import socket
from types import SimpleNamespace

import pytest

from credit_scoring.errors import TrackingServerError
from credit_scoring.hooks import TrackingServerHooks


class Configuration(dict):
    """As much of Kedro's loader as the hook asks for."""

    def __init__(self, **read: object) -> None:
        super().__init__(read)
        self.config_patterns: dict[str, list[str]] = {}


def context(uri: str | None) -> SimpleNamespace:
    return SimpleNamespace(config_loader=Configuration(mlflow={"server": {"mlflow_tracking_uri": uri}}))


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_does_not_answer_is_one_error_at_the_start(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrackingServerError, match=f"http://127.0.0.1:{port} does not answer: Connection refused"):
        TrackingServerHooks().after_context_created(context(f"http://127.0.0.1:{port}"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with pytest.raises(TrackingServerError, match="Hint: start it"):
        TrackingServerHooks().after_context_created(context(None))


def test_a_server_that_answers_and_a_file_need_nothing(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        TrackingServerHooks().after_context_created(context(f"http://127.0.0.1:{port}"))
    TrackingServerHooks().after_context_created(context("sqlite:////tmp/mlflow.db"))
