"""The description of the API that the server gives of itself, made from the model's signature."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.exported_model.contract import Column
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.loading import ServedDecider
from credit_scoring.serving.openapi_decisions import describe_answer, describe_request, describe_schemas
from credit_scoring.serving.requests import CHOICES, LARGEST
from credit_scoring.serving.settings import Settings

# What any path may answer: limits of the connection, and what is no request to it
_OF_ALL = {
    400: "What was sent is no request that can be read.",
    405: "Another method; `Allow` says which.",
    408: "The request did not arrive in time.",
    431: "Too many or too long headers.",
    500: "A defect; the log has the details.",
    503: "The server has its hands full; try again.",
}
_OF_INVOCATIONS = _OF_ALL | {
    400: "The body is not what the contract asks for; the message says where.",
    413: "Too many bytes or rows.",
    415: "Neither JSON nor CSV, not in UTF-8, or compressed.",
    429: "The key has asked more than its share; try again.",
    503: "The server has its hands full, or a required record could not be written; try again.",
    504: "Not answered in time.",
}
_OF_DECISIONS = _OF_INVOCATIONS | {
    400: "The raw tables are not what their contracts ask for; `problems` says where, the first twenty.",
    415: "Not JSON, not in UTF-8, or compressed.",
}
_HEADERS: Mapping[int, str] = {405: "Allow", 415: "Accept-Encoding", 429: "Retry-After", 503: "Retry-After"}
_SPLIT, _RECORDS, _INPUTS = "dataframe_split", "dataframe_records", "inputs"
_STATE = {"type": "object", "properties": {"status": {"enum": ["ready", "saturated", "draining"]}}}
_GAPS = ("unknown_name", "too_little_known", "out_of_range", "missing", "unknown_category")

_GAP: Mapping[str, Any] = {
    "column": {"type": ["string", "null"], "description": "Null if it is of no single column."},
    "gap": {"enum": list(_GAPS)},
    "text": {"type": "string", "description": "A sentence in `params.language`."},
}


def describe_api(folder: ModelFolder, settings: Settings, decider: ServedDecider | None) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document; of a model that cannot decide from raw tables, without `/decisions`."""
    errors = {401: "The API key is missing or wrong."} if settings.asks_for_key else {}
    invoke = {
        "summary": "Score applicants",
        "operationId": "score",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Request"}},
                "text/csv": {
                    "schema": {"type": "string", "minLength": 1, "description": "A header, then a line per applicant."}
                },
            },
        },
        "responses": _responses("One prediction per row, in order.", _schema("Predictions"), _OF_INVOCATIONS | errors),
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Credit scoring", "version": folder.identity["model_id"]},
        "paths": {
            "/invocations": {"post": invoke},
            "/ping": _get("Whether the model is loaded", {"type": "object"}, _OF_ALL),
            "/ready": _get("Whether more requests may come: 503 while saturated or draining", _STATE, _OF_ALL),
            "/version": _get("Which model answers, and where it comes from", {"type": "object"}, _OF_ALL | errors),
            "/openapi.json": _get("This document", {"type": "object"}, _OF_ALL | errors),
            "/metrics": _get("Counts for Prometheus", None, _OF_ALL | errors),
        },
        "components": {"schemas": _schemas(folder, settings)},
    }
    if decider:
        decide: dict[str, Any] = {
            "summary": "Decide on applicants from their raw tables",
            "operationId": "decide",
            "requestBody": {
                "required": True,
                "content": describe_request(decider, settings.max_rows),
            },
            "responses": _responses("A decision, or one per applicant, in order.", None, _OF_DECISIONS | errors),
        }
        decide["responses"]["200"]["content"] = describe_answer(decider)
        document["paths"]["/decisions"] = {"post": decide}
        document["components"]["schemas"] |= describe_schemas(decider, _GAP, settings.max_history)
    if settings.asks_for_key:
        scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        document["components"]["securitySchemes"] = {"key": scheme}
        document["security"] = [{"key": []}]
        for probe in ("/ping", "/ready"):
            document["paths"][probe]["get"]["security"] = []
    return document


def _schemas(folder: ModelFolder, settings: Settings) -> dict[str, Any]:
    columns, most = folder.contract.columns, settings.max_rows
    required = [column.name for column in columns if column.required]
    values = {column.name: _column(column) for column in columns}
    applicants = {"type": "array", "items": _schema("Applicant"), "minItems": 1, "maxItems": most}
    by_column = {
        name: {"type": "array", "items": value, "minItems": 1, "maxItems": most} for name, value in values.items()
    }
    row = {"type": "array", "items": {"type": ["number", "string", "null"]}}
    split = {
        "columns": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "data": {"type": "array", "items": row, "minItems": 1, "maxItems": most, "description": "Rows of values."},
        "index": {"description": "Not looked at."},
    }
    parameters = {
        name: {"type": "boolean" if isinstance(default, bool) else "string", "default": default}
        | ({"enum": list(CHOICES[name])} if name in CHOICES else {})
        for name, default in folder.contract.parameters.items()
    }
    params = {"type": ["object", "null"], "properties": parameters, "additionalProperties": False}
    reason = _object({"effect": {"enum": ["against", "for"]}, "text": {"type": "string"}})
    prediction = {
        "probability_default": {"type": "number", "minimum": 0, "maximum": 1},
        "decision": {
            "enum": ["granted", "refused", "review"],
            "description": "`review`: a person has to decide, as there are gaps.",
        },
        "threshold": {"type": "number", "minimum": 0, "maximum": 1, "description": "Refused from here on."},
        "gaps": {"type": "array", "items": _object(_GAP), "description": "Why nothing is decided automatically."},
    }
    reasons = {"type": "array", "items": reason, "description": "With params.explain; the heaviest first."}
    record = {"type": "string", "description": "Id of the decision's record, where decisions are recorded."}
    return {
        "Applicant": {"type": "object", "properties": values, "required": required},
        "Request": {
            "oneOf": [
                _form(_SPLIT, _object(split, optional=("index",)), params),
                _form(_RECORDS, applicants, params),
                _form(_INPUTS, {"type": "object", "properties": by_column, "required": required}, params),
                _form(_INPUTS, applicants, params),
            ]
        },
        "Prediction": _object(prediction | {"reasons": reasons, "id": record}, optional=("reasons", "id")),
        "Predictions": _object({"predictions": {"type": "array", "items": _schema("Prediction")}}),
        "Error": {
            "type": "object",
            "properties": {
                "error_code": {"type": "string"},
                "message": {"type": "string"},
                "problems": {"type": "array", "items": {"type": "object"}, "description": "Of /decisions, by place."},
                "applicant": {"type": "integer", "description": "Of /decisions, who has the gaps that are refused."},
                "gaps": {"type": "array", "items": {"type": "object"}, "description": "Of /decisions, see Decision."},
            },
            "required": ["error_code", "message"],
        },
    }


def _form(name: str, table: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    return _object({name: table, "params": params}, optional=("params",))


def _object(properties: Mapping[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _column(column: Column) -> dict[str, Any]:
    words = [column.facts.get("description", "")]
    if column.facts.get("unit"):
        words.append(f"Unit: {column.facts['unit']}")
    if column.facts.get("null_when"):
        words.append(f"Null when {', or '.join(column.facts['null_when'])}")
    if column.plausible:
        words.append(f"Plausible: {column.plausible}")
    kind: dict[str, Any] = {"type": ["string" if column.is_text else "number", "null"]}
    if not column.is_text:
        kind |= {"minimum": -LARGEST, "maximum": LARGEST}
    description = ". ".join(filter(None, words))
    if description:
        kind["description"] = description
    if column.facts.get("categories"):
        kind["examples"] = list(column.facts["categories"])
    return kind


def _get(summary: str, schema: Mapping[str, Any] | None, errors: Mapping[int, str]) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": _responses("As it says.", schema, errors)}}


def _responses(description: str, schema: Mapping[str, Any] | None, errors: Mapping[int, str]) -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}} if schema is None else _json(schema)
    responses: dict[str, Any] = {
        "200": {"description": description, "content": content, "headers": _header("X-Model-Id")}
    }
    for status, text in sorted(errors.items()):
        responses[str(status)] = {"description": text, "content": _json(_schema("Error"))}
        if status in _HEADERS:
            responses[str(status)]["headers"] = _header(_HEADERS[status])
    return responses


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _header(name: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}}}
