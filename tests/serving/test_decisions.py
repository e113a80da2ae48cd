"""`/decisions`: raw tables in, the decision of batch scoring out, behind the same gate as `/invocations`."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import requests

from credit_scoring import decide as decide_module
from credit_scoring.decide import decide
from credit_scoring.decisions import InputError
from credit_scoring.exported_model import FEATURE_PLAN
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest, write_manifest
from tests.conftest import ROOT, Project
from tests.serving.conftest import JSON, Server, serving, wait_until
from tools.example_applicant import EXAMPLE, make_example

pytestmark = pytest.mark.e2e


def ask(server: Server, body: Any, content_type: str = JSON, **headers: str) -> requests.Response:
    data = body if isinstance(body, str) else json.dumps(body)
    return requests.post(
        f"{server.url}/decisions", data=data, headers={"Content-Type": content_type} | headers, timeout=60
    )


@pytest.fixture(scope="module", params=["mlflow", "lean"])
def server(demo: Project, request: pytest.FixtureRequest) -> Iterator[Server]:
    settings = {"SERVING_WORKERS": "1", "SERVING_MAX_ROWS": "100", "SERVING_MAX_HISTORY": "2000", "SERVING_LOG": "json"}
    settings |= {"SERVING_FRONT_END": request.param, "SERVING_SHADOW": str(demo.path / "model")}
    with serving(demo.path, **settings) as started:
        yield started


def test_raw_tables_are_answered_as_the_batch_scored_them(
    server: Server, demo: Project, applicants: list[dict[str, Any]], holdout: pd.DataFrame, batch: pd.Series
) -> None:
    scored = load_scorer(check_manifest(demo.path / "model")).predict(holdout.head(60))
    answers = ask(server, applicants).json()
    expected = batch.loc[holdout.index[:60]]
    assert [one["SK_ID_CURR"] for one in answers] == expected.index.tolist()
    assert [one["probability_default"] for one in answers] == expected.tolist()
    assert [one["decision"] for one in answers] == scored["decision"].tolist()
    assert {"granted", "refused"} <= {one["decision"] for one in answers}


def test_one_applicant_is_one_answer_that_names_model_and_request(
    server: Server, demo: Project, applicants: list[dict[str, Any]]
) -> None:
    answer = ask(server, applicants[0] | {"params": {"explain": True, "language": "en"}}, **{"X-Request-Id": "order-1"})
    told = answer.json()
    assert told["request_id"] == "order-1" == answer.headers["x-request-id"]
    assert told["manifest_sha256"] == check_manifest(demo.path / "model").sha256
    assert told["reasons"]
    wait_until(lambda: b'"order-1"' in server.log.read_bytes())
    line = next(json.loads(one) for one in server.log.read_bytes().splitlines() if b'"order-1"' in one)
    assert (line["path"], line["rows"], line["status"]) == ("/decisions", 1, 200)
    assert 'scoring_requests_total{key="",path="/decisions",status="200"}' in server.get("/metrics").text


def test_what_is_not_in_order_is_refused(server: Server, applicants: list[dict[str, Any]]) -> None:
    one = applicants[0]
    bad = one | {"application": one["application"] | {"AMT_CREDIT": "secret"}, "params": {"language": "en"}}
    answer = ask(server, bad)
    assert answer.status_code == 400
    assert answer.json()["problems"] == [
        {
            "applicant": 0, "table": "application", "row": None, "column": "AMT_CREDIT",
            "text": "application, column AMT_CREDIT: expected a number or null",
        }
    ]  # fmt: skip
    assert "secret" not in answer.text
    credit = {"SK_ID_CURR": one["application"]["SK_ID_CURR"]}
    many = ask(server, one | {"bureau": [credit] * 2001}).json()["problems"]
    assert many[0]["text"] == "bureau : 2000 lignes au plus sont acceptées"
    for body, content_type, status in (
        ([one] * 101, JSON, 413),
        ("5", JSON, 400),
        ("[]", JSON, 400),
        ("{", JSON, 400),
        ("a,b\n1,2\n", "text/csv", 415),
    ):
        assert ask(server, body, content_type).status_code == status, body
    assert requests.get(f"{server.url}/decisions", timeout=10).headers["allow"] == "POST"


def test_the_description_has_the_raw_tables_and_its_examples_are_true(server: Server) -> None:
    document = server.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    bureau = schemas["RawApplicant"]["properties"]["bureau"]
    assert bureau["items"]["properties"]["DAYS_CREDIT"]["type"] == "integer"
    assert "Plausible: from -2922 to 0" in bureau["items"]["properties"]["DAYS_CREDIT"]["description"]
    assert schemas["RawApplicant"]["required"] == ["application"]
    described = document["paths"]["/decisions"]["post"]
    asked = described["requestBody"]["content"][JSON]["examples"]
    told = described["responses"]["200"]["content"][JSON]["examples"]
    assert asked.keys() == told.keys() == {"français", "English"}
    for language, example in asked.items():
        answer = ask(server, example["value"]).json()
        origin = {name: answer[name] for name in ("manifest_sha256", "request_id")}
        assert told[language]["value"] | origin == answer
        assert answer.keys() <= schemas["Decision"]["properties"].keys()


def test_a_challenger_decides_on_raw_tables_too(server: Server, applicants: list[dict[str, Any]]) -> None:
    asked = [one | {"params": {"explain": True}, "counterfactual": True} for one in applicants[:5]]

    def is_scored() -> bool:  # what comes before the challenger is loaded is dropped
        assert ask(server, asked).status_code == 200
        return 'scoring_shadow_requests_total{outcome="scored"}' in server.get("/metrics").text

    wait_until(is_scored, 60)
    counts = server.get("/metrics").text
    assert 'scoring_shadow_requests_total{outcome="failed"}' not in counts
    pairs = re.findall(r'scoring_shadow_decisions_total\{challenger="(\w+)",champion="(\w+)"\}', counts)
    assert pairs  # it is the same model
    assert all(challenger == champion for challenger, champion in pairs)
    n_compared, lower = (
        float(re.search(rf"^scoring_shadow_gap_{name} (\S+)$", counts, re.MULTILINE)[1])
        for name in ("count", r'bucket\{le="-0.005"\}')
    )
    assert n_compared >= 5
    assert lower == 0
    assert f'scoring_shadow_gap_bucket{{le="0.0"}} {n_compared}' in counts


def test_the_example_is_what_its_command_makes_and_is_answered_as_in_python(demo: Project, server: Server) -> None:
    assert EXAMPLE.read_text() == make_example()
    asked = json.loads(EXAMPLE.read_text())
    expected = {
        name: value
        for name, value in ask(server, asked).json().items()
        if name not in ("manifest_sha256", "request_id")
    }
    assert expected["decision"] in ("granted", "refused")
    assert decide(asked, demo.path / "model") == expected


def test_the_command_decides_as_python_does_and_says_what_is_not_in_order(
    demo: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "credit_scoring", "decide", str(file), *options]
        return subprocess.run(command, cwd=demo.path, capture_output=True, text=True, check=False)

    done = run(EXAMPLE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == decide(json.loads(EXAMPLE.read_text()), demo.path / "model")
    broken = tmp_path / "broken.json"
    broken.write_text('{"application": []}')
    done = run(broken, "--language", "en")
    assert done.returncode == 1
    assert "application: expected an object." in done.stderr
    assert "Traceback" not in done.stderr
    monkeypatch.chdir(demo.path)
    monkeypatch.setattr(decide_module, "use_code_of", str)  # it would be that of all tests to come
    for content, said in (
        ('{"application": {"AMT_CREDIT": NaN}}', "expected a JSON value"),
        ("[" * 1000 + "]" * 1000, "un objet est attendu"),  # of no object no language is known
        ("[" * 100_000, "depth limit exceeded"),
    ):
        broken.write_text(content)
        assert decide_module.main([str(broken), "--language", "en"]) == 1
        assert said in capsys.readouterr().err


def test_a_defect_is_not_told_as_a_mistake_of_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(applicants: Any) -> None:
        raise ValueError("of a library")

    decider = SimpleNamespace(decide=fail, input_error=InputError)
    for name, value in (("_load", lambda *_: decider), ("check_manifest", str), ("use_code_of", str)):
        monkeypatch.setattr(decide_module, name, value)
    with pytest.raises(ValueError, match="of a library"):
        decide_module.main([str(EXAMPLE)])


def test_a_model_without_a_plan_scores_and_says_that_it_cannot_decide_from_raw_tables(
    demo: Project, tmp_path: Path, applicants: list[dict[str, Any]]
) -> None:
    shutil.copytree(demo.path / "model", tmp_path / "model")
    assert decide(applicants[0], tmp_path / "model")["SK_ID_CURR"] == applicants[0]["application"]["SK_ID_CURR"]
    (tmp_path / "model" / FEATURE_PLAN).unlink()
    write_manifest(tmp_path / "model")
    with pytest.raises(ModelFolderError, match="do not follow from raw tables alone"):  # and not the model of before
        decide(applicants[0], tmp_path / "model")
    with serving(tmp_path, SERVING_FRONT_END="lean", SERVING_WORKERS="1") as server:
        answer = ask(server, applicants[0])
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
        assert "/decisions" not in server.get("/openapi.json").json()["paths"]
        example = (tmp_path / "model/serving_input_example.json").read_text()
        assert server.post(example).status_code == 200


def test_the_documentation_shows_the_call(server: Server) -> None:
    call = "curl http://127.0.0.1:1234/decisions -H 'Content-Type: application/json' -d @examples/applicant.json"
    assert call in (ROOT / "README.md").read_text()
    assert call in (ROOT / "docs/serving.md").read_text()
    assert ask(server, EXAMPLE.read_text()).status_code == 200
