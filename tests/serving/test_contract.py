"""One contract, two front ends: the same answers, those of the batch to the last bit, and the same refusals."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
import requests
import yaml

from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.records import UNITS
from credit_scoring.schemas.raw import RAW_TABLES
from tests.conftest import Project
from tests.serving.conftest import Server, as_split, serving

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module", params=["mlflow", "lean"])
def server(demo: Project, request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(demo.path, SERVING_FRONT_END=request.param, SERVING_MAX_ROWS="2000", SERVING_WORKERS="1") as started:
        yield started


@pytest.fixture(scope="module")
def columns(demo: Project) -> list[str]:
    """Return the names of two columns: the first one of text, and the first one of numbers that is required."""
    signature = yaml.safe_load((demo.path / "model" / "MLmodel").read_text())["signature"]
    inputs = json.loads(signature["inputs"])
    text = next(column["name"] for column in inputs if column["type"] == "string")
    number = next(column["name"] for column in inputs if column["type"] == "double" and column["required"])
    return [text, number]


def predictions(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()["predictions"]


def scores(answer: requests.Response) -> list[float]:
    return [row["probability_default"] for row in predictions(answer)]


def as_records(rows: pd.DataFrame) -> str:
    return json.dumps({"dataframe_records": rows.astype(object).where(rows.notna(), None).to_dict(orient="records")})


def as_columns(rows: pd.DataFrame) -> str:
    return json.dumps({"inputs": rows.astype(object).where(rows.notna(), None).to_dict(orient="list")})


def as_csv(rows: pd.DataFrame) -> str:
    return rows.to_csv(index=False)


def test_the_exported_example_is_answered_with_probability_decision_and_threshold(
    server: Server, demo: Project
) -> None:
    answered = predictions(server.post((demo.path / "model" / "serving_input_example.json").read_text()))
    assert len(answered) == 5
    threshold = json.loads((demo.path / "data/06_models/synthetic/decision_policy.json").read_text())["threshold"]
    for row in answered:
        assert set(row) == {"probability_default", "decision", "threshold", "gaps"}
        assert row["gaps"] == []
        assert row["threshold"] == threshold
        assert row["decision"] == ("refused" if row["probability_default"] >= threshold else "granted")


@pytest.mark.parametrize(
    ("write", "content_type"),
    [
        (as_split, "application/json"),
        (as_records, "application/json; charset=utf-8"),
        (as_columns, "application/json"),
        (as_csv, "text/csv"),
    ],
)
def test_every_format_order_and_batch_gives_the_batch_predictions(
    server: Server, holdout: pd.DataFrame, batch: pd.Series, write: Callable[[pd.DataFrame], str], content_type: str
) -> None:
    for part in (holdout, holdout.head(1), holdout.sample(frac=0.3, random_state=0)[holdout.columns[::-1]]):
        assert scores(server.post(write(part), content_type)) == batch.loc[part.index].tolist()


def test_rows_one_by_one_give_what_they_give_together(server: Server, holdout: pd.DataFrame, batch: pd.Series) -> None:
    for number in range(20):
        row = holdout.iloc[[number]]
        assert scores(server.post(as_split(row))) == batch.loc[row.index].tolist()


def test_unknown_columns_do_not_change_the_score_and_missing_optional_ones_are_null(
    server: Server, holdout: pd.DataFrame, demo: Project
) -> None:
    signature = yaml.safe_load((demo.path / "model" / "MLmodel").read_text())["signature"]
    optional = [column["name"] for column in json.loads(signature["inputs"]) if not column["required"]]
    rows = holdout.head(10).copy()
    without = server.post(as_split(rows.drop(columns=optional).copy().assign(SURPRISE="x")))
    with_nulls = server.post(as_split(rows.assign(**dict.fromkeys(optional))))
    assert scores(without) == scores(with_nulls)
    assert scores(without) != scores(server.post(as_split(rows)))


def test_a_null_text_is_a_null_in_one_row_in_some_and_in_all(
    server: Server, holdout: pd.DataFrame, demo: Project
) -> None:
    scorer = load_scorer(check_manifest(demo.path / "model"))
    texts = [name for name in holdout.columns if not pd.api.types.is_numeric_dtype(holdout[name])]
    rows = holdout.head(4).astype(dict.fromkeys(texts, object))
    some, none, empty = rows.copy(), rows.copy(), rows.copy()
    some.loc[rows.index[1], texts] = None
    none[texts] = None
    empty[texts] = ""
    for part in (some, none, empty, some.iloc[[1]]):
        params = {"explain": True, "language": "en"}
        answered = predictions(server.post(as_split(part, params=params)))
        assert answered == scorer.predict(part, params).to_dict(orient="records")


def gap_kinds(answered: list[dict[str, Any]]) -> list[set[str]]:
    return [{gap["gap"] for gap in row["gaps"]} for row in answered]


def test_whoever_cannot_be_decided_automatically_is_reviewed_as_in_batch(
    server: Server, holdout: pd.DataFrame, demo: Project, columns: list[str]
) -> None:
    scorer = load_scorer(check_manifest(demo.path / "model"))
    signature = yaml.safe_load((demo.path / "model" / "MLmodel").read_text())["signature"]
    inputs = json.loads(signature["inputs"])
    names = [column["name"] for column in inputs]
    needed = [column["name"] for column in inputs if column["required"]]
    rows = holdout[names].head(3).astype(object)
    cases = {
        "nothing known": (rows.assign(**dict.fromkeys(names)), {"too_little_known", "missing"}),
        "required columns null": (rows.assign(**dict.fromkeys(needed)), {"missing"}),
        "born in the future": (rows.assign(DAYS_BIRTH=5000), {"out_of_range"}),
        "absurd": (rows.assign(**{columns[1]: -1e30}), {"out_of_range"}),
        "code of a missing date": (rows.assign(DAYS_BIRTH=365243), {"out_of_range"}),
    }
    for case, (sent, kinds) in cases.items():
        for params in ({}, {"explain": True, "language": "en"}):
            answered = predictions(server.post(as_split(sent, params=params)))
            assert [row["decision"] for row in answered] == ["review"] * 3, case
            assert all(found >= kinds for found in gap_kinds(answered)), case
            assert answered == scorer.predict(sent, params).to_dict(orient="records"), case
            assert all(("reasons" in row) == bool(params) for row in answered)


def test_names_that_nobody_knows_are_a_gap_and_those_of_the_project_are_not(
    server: Server, holdout: pd.DataFrame, demo: Project
) -> None:
    signature = yaml.safe_load((demo.path / "model" / "MLmodel").read_text())["signature"]
    optional = [column["name"] for column in json.loads(signature["inputs"]) if not column["required"]]
    rows = holdout.head(2)
    known = rows.assign(SK_ID_CURR=1, CODE_GENDER="F", TARGET=None)
    assert all("unknown_name" not in found for found in gap_kinds(predictions(server.post(as_split(known)))))
    lower = rows.rename(columns={name: name.lower() for name in optional})
    for write, kind in ((as_split, "application/json"), (as_records, "application/json"), (as_csv, "text/csv")):
        answered = predictions(server.post(write(lower), kind))
        assert [row["decision"] for row in answered] == ["review"] * 2
        first = answered[0]["gaps"][0]
        assert (first["gap"], first["column"]) == ("unknown_name", next(n for n in rows.columns if n in optional))
        assert optional[0].lower() not in json.dumps(answered)
    only = predictions(server.post(as_split(rows.assign(SURPRISE="x"), params={"language": "en"})))
    plain = predictions(server.post(as_split(rows, params={"language": "en"})))
    told = {"column": None, "gap": "unknown_name", "text": "The request holds a name that the model does not know."}
    assert only == [row | {"decision": "review", "gaps": [told, *row["gaps"]]} for row in plain]


def test_a_number_beyond_single_precision_is_refused(server: Server, holdout: pd.DataFrame, columns: list[str]) -> None:
    sent = holdout.head(2).assign(**{columns[1]: [1.0, 1e308]})
    for body, kind in ((as_split(sent), "application/json"), (as_csv(sent), "text/csv")):
        answer = server.post(body, kind)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(f"Row 1, column {columns[1]}: expected a number between")


def test_a_header_of_a_quarter_of_a_million_names_and_a_compressed_body_are_refused(server: Server) -> None:
    many = server.post("," * 249_999 + "\n1", "text/csv")
    assert (many.status_code, many.json()["message"].partition(";")[0]) == (400, "There are 250000 columns")
    packed = server.post(b"\x1f\x8b", "application/json", **{"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.headers["Accept-Encoding"]) == (415, "identity")
    assert server.is_up()


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_a_strict_server_refuses_gaps_and_counts_them(
    demo: Project, holdout: pd.DataFrame, applicants: list[dict[str, Any]], front_end: str
) -> None:
    with serving(demo.path, SERVING_FRONT_END=front_end, SERVING_WORKERS="1", SERVING_GAPS="refuse") as strict:
        rows = holdout.head(2)
        assert len(predictions(strict.post(as_split(rows)))) == 2
        refused = strict.post(as_split(rows.assign(DAYS_BIRTH=[-10_000, 5000])))
        says = "Row 1, column DAYS_BIRTH: expected at least -26000 and at most -7300."
        assert (refused.status_code, refused.json()["message"]) == (400, says)
        misspelt = strict.post(as_split(rows.assign(days_birth=1)))
        says = "Row 0: expected names of the contract, got another one: DAYS_BIRTH may be meant."
        assert (misspelt.status_code, misspelt.json()["message"]) == (400, says)
        metrics = requests.get(f"{strict.url}/metrics", timeout=10).text
        assert 'scoring_gaps_total{column="DAYS_BIRTH",gap="out_of_range"} 1.0' in metrics
        refuses_gaps_of_raw_tables(strict, applicants[0])


def refuses_gaps_of_raw_tables(strict: Server, one: dict[str, Any]) -> None:
    """Check `/decisions` of a strict server that has counted one gap of DAYS_BIRTH."""
    born = one | {"application": one["application"] | {"DAYS_BIRTH": -77}, "params": {"language": "en"}}
    assert strict.post(json.dumps(one), path="/decisions").status_code == 200
    answer = strict.post(json.dumps([one, born]), path="/decisions")
    assert (answer.status_code, answer.json()["error_code"], answer.json()["applicant"]) == (400, "BAD_REQUEST", 1)
    gaps = answer.json()["gaps"]
    assert ("DAYS_BIRTH", "out_of_range") in [(gap["column"], gap["gap"]) for gap in gaps]
    assert answer.json()["message"] == " ".join(f"{gap['text']}." for gap in gaps)
    assert "-77" not in answer.text
    assert 'scoring_gaps_total{column="DAYS_BIRTH",gap="out_of_range"} 2.0' in strict.get("/metrics").text


def test_an_unknown_category_and_unicode_are_scored(server: Server, holdout: pd.DataFrame, columns: list[str]) -> None:
    text = columns[0]
    assert len(scores(server.post(as_split(holdout.head(2).assign(**{text: "Zoë 🦊 – 東京"}))))) == 2


def test_parameters_of_the_contract_are_taken(server: Server, holdout: pd.DataFrame) -> None:
    plain = scores(server.post(as_split(holdout.head(3))))
    for params in ({}, None, {"explain": False}, {"explain": True, "language": "en"}, {"language": "fr"}):
        assert scores(server.post(as_split(holdout.head(3), params=params))) == plain


def change(rows: pd.DataFrame, **columns: Any) -> dict[str, Any]:
    return json.loads(as_split(rows.assign(**columns)))


def bad_requests(rows: pd.DataFrame, text: str, number: str) -> dict[str, tuple[str | bytes, str | None, int, str]]:
    """Return by name: body, content type, status that must be answered, what the message must say."""
    good = json.loads(as_split(rows))
    split = good["dataframe_split"]
    records = json.loads(as_records(rows))["dataframe_records"]
    columns = json.loads(as_columns(rows))["inputs"]
    twice = {"columns": [*split["columns"], number], "data": [[*row, 1.0] for row in split["data"]]}
    jagged = {"columns": split["columns"], "data": [split["data"][0][:-1], *split["data"][1:]]}
    csv = rows.to_csv(index=False)
    json_type = "application/json"
    as_is = {
        "empty body": (b"", json_type, 400, "empty"),
        "empty body, CSV": (b"", "text/csv", 400, "empty"),
        "malformed JSON": (b'{"dataframe_split": ', json_type, 400, "not valid JSON"),
        "no UTF-8": (b'{"dataframe_split": "\xff"}', json_type, 400, "UTF-8"),
        "no UTF-8, CSV": (b"\xff\xfe", "text/csv", 400, "UTF-8"),
        "deep nesting": (b"[" * 100_000 + b"]" * 100_000, json_type, 400, "depth"),
        "NaN": (as_split(rows.head(1)).replace("null", "NaN", 1).replace(": [[", ": [[NaN, "), json_type, 400, "JSON"),
        "Infinity": ('{"inputs": {"X": [Infinity]}}', json_type, 400, "not valid JSON"),
        "larger than a double": ('{"inputs": {"X": [1e999]}}', json_type, 400, "not valid JSON"),
        "wrong content type": (as_split(rows), "text/html", 415, "Content-Type"),
        "no content type": (as_split(rows), None, 415, "Content-Type"),
        "wrong encoding": (as_split(rows), "application/json; charset=latin-1", 415, "UTF-8"),
        "CSV, field missing": (csv.rpartition(",")[0] + "\n", "text/csv", 400, f"Row {len(rows) - 1}"),
        "CSV, open quote": (csv + '"', "text/csv", 400, "CSV"),
        "CSV, infinity": (rows.assign(**{number: "inf"}).to_csv(index=False), "text/csv", 400, number),
        "CSV, text": (rows.assign(**{number: "many"}).to_csv(index=False), "text/csv", 400, number),
        "CSV, no rows": (rows.head(0).to_csv(index=False), "text/csv", 400, "no rows"),
    }
    written = {
        "a list": ([], 400, "must be an object"),
        "a number": (1, 400, "must be an object"),
        "no rows at all": ({}, 400, "dataframe_split"),
        "another key": ({**good, "instances": []}, 400, "dataframe_split"),
        "two formats": ({**good, "inputs": columns}, 400, "dataframe_split"),
        "split without data": ({"dataframe_split": {"columns": split["columns"]}}, 400, "columns and data"),
        "split of null": ({"dataframe_split": None}, 400, "columns and data"),
        "0 rows": ({"dataframe_split": {**split, "data": []}}, 400, "no rows"),
        "0 records": ({"dataframe_records": []}, 400, "no rows"),
        "too many rows": ({"dataframe_split": {**split, "data": split["data"] * 1000}}, 413, "at most 2000"),
        "a row that is no list": ({"dataframe_split": {**split, "data": [None]}}, 400, "Row 0"),
        "a row too short": ({"dataframe_split": jagged}, 400, "Row 0"),
        "column twice": ({"dataframe_split": twice}, 400, number),
        "required column missing": (json.loads(as_split(rows.drop(columns=number))), 400, number),
        "required columns missing, records": ({"dataframe_records": [{}]}, 400, number),
        "required column missing, one record": (
            {"dataframe_records": [records[0], {k: v for k, v in records[1].items() if k != number}]},
            400,
            f"Row 1: missing required column {number}",
        ),
        "records of lists": ({"dataframe_records": [[]]}, 400, "Row 0"),
        "column that is no list": ({"inputs": {**columns, number: 3}}, 400, number),
        "columns of different length": ({"inputs": {**columns, number: [1.0]}}, 400, "as many"),
        "text in a number": (change(rows, **{number: "12"}), 400, f"Row 0, column {number}"),
        "truth value in a number": (change(rows, **{number: True}), 400, f"Row 0, column {number}"),
        "number in a text": (change(rows, **{text: 5}), 400, f"Row 0, column {text}"),
        "list in a number": ({"inputs": {**columns, number: [[1]] * len(rows)}}, 400, number),
        "object in a text": ({"inputs": {**columns, text: [{}] * len(rows)}}, 400, text),
        "unknown parameter": ({**good, "params": {"explian": True}}, 400, "explain"),
        "parameter of a wrong type": ({**good, "params": {"explain": "yes"}}, 400, "explain"),
        "unknown language": ({**good, "params": {"language": "de"}}, 400, "fr, en"),
        "parameters that are none": ({**good, "params": [1]}, 400, "params"),
    }
    return as_is | {name: (json.dumps(body), json_type, status, says) for name, (body, status, says) in written.items()}


BAD_REQUESTS = tuple(bad_requests(pd.DataFrame({"A": ["x"] * 3, "B": [1.0] * 3}), "A", "B"))


@pytest.fixture(scope="module")
def bad(holdout: pd.DataFrame, columns: list[str]) -> dict[str, tuple[str | bytes, str | None, int, str]]:
    """Return the bad requests for the model, as `bad_requests` does: some are large and take long to write."""
    return bad_requests(holdout.head(3), *columns)


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_refused_in_a_sentence_that_says_why(
    server: Server, bad: dict[str, tuple[str | bytes, str | None, int, str]], name: str
) -> None:
    body, content_type, status, says = bad[name]
    answer = server.post(body, content_type)
    assert answer.status_code == status, answer.text[:500]
    assert set(answer.json()) == {"error_code", "message"}
    message = answer.json()["message"]
    assert says in message
    assert len(message) < 250
    assert "Traceback" not in message
    assert "\n" not in message
    assert server.is_up()


def test_a_huge_body_is_refused_unread(server: Server) -> None:
    answer = server.post(b"x" * 50_000_000)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "REQUEST_TOO_LARGE")
    streamed = server.post(b"x" * 1_000_000 for _ in range(25))  # type: ignore[arg-type]  # without a content length
    assert streamed.status_code == 413
    assert server.is_up()


def test_other_methods_and_paths_are_refused(server: Server) -> None:
    assert requests.get(f"{server.url}/invocations", timeout=10).status_code == 405
    assert requests.post(f"{server.url}/ping", timeout=10).status_code == 405
    assert requests.get(f"{server.url}/docs", timeout=10).status_code == 404


def test_an_answer_leads_back_to_the_run(server: Server, holdout: pd.DataFrame, demo: Project) -> None:
    version = requests.get(f"{server.url}/version", timeout=10).json()
    description = yaml.safe_load((demo.path / "model" / "MLmodel").read_text())
    assert version["run_id"] == description["run_id"]
    assert version["training_data"] == description["metadata"]["training_data"]
    assert version["git_commit"] == description["metadata"]["git_commit"]
    assert (
        server.post(as_split(holdout.head(1))).headers["x-model-id"] == version["model_id"] == description["model_id"]
    )


def test_what_is_scored_and_refused_is_counted(server: Server, holdout: pd.DataFrame, columns: list[str]) -> None:
    def counts() -> dict[str, float]:
        lines = requests.get(f"{server.url}/metrics", timeout=10).text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    before = counts()
    answered = predictions(server.post(as_split(holdout.head(40).assign(**{columns[0]: "unheard of"}))))
    server.post("{")
    answered += predictions(server.post(as_split(holdout.head(1).assign(secret="x"))))
    after = counts()
    gained = {name: after[name] - before.get(name, 0) for name in after}
    refused, reviewed = (sum(row["decision"] == decision for row in answered) for decision in ("refused", "review"))
    by_status = 'scoring_requests_total{{key="",path="/invocations",status="{}"}}'
    assert all("secret" not in name for name in after)
    assert gained.get('scoring_decisions_total{decision="refused"}', 0) == refused
    assert gained.get('scoring_decisions_total{decision="granted"}', 0) == 41 - refused - reviewed
    assert gained['scoring_gaps_total{column="unknown",gap="unknown_name"}'] == 1
    assert sum(value for name, value in gained.items() if name.startswith("scoring_probabilities_total")) == 41
    assert gained[by_status.format(200)] == 2
    assert gained[by_status.format(400)] == 1
    assert gained["scoring_request_seconds_count"] == 3
    assert gained[f'scoring_unknown_categories_total{{column="{columns[0]}"}}'] == 40


def test_the_api_describes_itself_by_the_signature(server: Server, holdout: pd.DataFrame, columns: list[str]) -> None:
    document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
    applicant = document["components"]["schemas"]["Applicant"]
    assert set(applicant["properties"]) <= set(holdout.columns)
    assert columns[1] in applicant["required"]
    assert applicant["properties"][columns[1]]["type"] == ["number", "null"]
    form = set(RAW_TABLES["application_train"].columns)
    optional = form & set(applicant["properties"]) - set(applicant["required"])
    told = [applicant["properties"][name]["description"] for name in optional]
    assert all(". Null when " in description for description in told)
    assert any(description.endswith(". Null when not given") for description in told)
    forms = document["components"]["schemas"]["Request"]["oneOf"]
    assert [set(form["required"]) for form in forms] == [
        {"dataframe_split"},
        {"dataframe_records"},
        {"inputs"},
        {"inputs"},
    ]
    assert all(
        form["properties"]["params"]["properties"]
        == {
            "explain": {"type": "boolean", "default": False},
            "language": {"type": "string", "default": "fr", "enum": ["fr", "en"]},
        }
        for form in forms
    )
    decision = document["components"]["schemas"]["Prediction"]["properties"]["decision"]
    assert decision["enum"] == ["granted", "refused", "review"]
    answers = document["paths"]["/invocations"]["post"]["responses"]
    assert set(answers) >= {*map(str, (200, 400, 405, 408, 413, 415, 429, 431, 500, 503, 504))}
    assert "Allow" in answers["405"]["headers"]
    assert "Retry-After" in answers["503"]["headers"]


def test_the_api_tells_the_unit_of_every_column(server: Server, demo: Project) -> None:
    """As its record has it, which `tests/features/test_units.py` holds against the values."""
    document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
    columns = document["components"]["schemas"]["Applicant"]["properties"]
    contract = json.loads((demo.path / "model/input_columns.json").read_text())
    assert columns.keys() == {column["name"] for column in contract}
    for name, column in columns.items():
        feature = find_feature(name)
        unit = "text" if "string" in column["type"] else UNITS[feature.unit]
        assert column["description"].startswith(f"{feature.describe()}. Unit: {unit}"), name
