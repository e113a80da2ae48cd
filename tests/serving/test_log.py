"""Lines of the log: one per event, for any text in it."""

import json
import logging

import pytest

from credit_scoring.serving import log

FORGED = 'harmless\n2026-01-01 00:00:00 INFO 1 forged\r\x1b[31m\u2028{"level": "INFO"}\x00'


def formatted(record: logging.LogRecord, form: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SERVING_LOG", form)
    return log.LineFormatter().format(record)


def make_record(message: str, **facts: object) -> logging.LogRecord:
    return logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, "%s", (message,), None, extra={"facts": facts})


def test_a_line_of_json_is_one_object_with_time_level_message_and_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    line = formatted(make_record(FORGED, id="a", rows=2, decisions={"granted": 2}), "json", monkeypatch)
    assert len(line.encode().splitlines()) == 1
    said = json.loads(line)
    assert said.pop("time").endswith("Z")
    assert said.pop("process") > 0
    assert said == {"level": "INFO", "message": FORGED, "id": "a", "rows": 2, "decisions": {"granted": 2}}


def test_no_text_can_look_like_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = formatted(make_record(FORGED), "text", monkeypatch).split("\n")
    assert first.endswith(" harmless")
    assert others == [
        "    2026-01-01 00:00:00 INFO 1 forged",
        "    \\x1b[31m",
        '    {"level": "INFO"}\\x00',
    ]


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_is_bounded(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(formatted(make_record("x" * 1_000_000), form, monkeypatch)) < 11_000


def test_a_line_has_the_id_of_the_request_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    token = log.request_id.set("r-1")
    assert json.loads(formatted(make_record("from a library"), "json", monkeypatch))["id"] == "r-1"
    log.request_id.reset(token)
    assert "id" not in json.loads(formatted(make_record("from a library"), "json", monkeypatch))


def test_a_defect_is_told_without_what_the_error_says(caplog: pytest.LogCaptureFixture) -> None:
    try:
        float("Jane Doe")
    except ValueError as error:
        log.log_defect(error)
    (record,) = caplog.records
    assert record.facts["error"] == "ValueError"
    assert record.facts["calls"][-1].endswith("test_a_defect_is_told_without_what_the_error_says")
    assert "Jane" not in str(record.__dict__)
