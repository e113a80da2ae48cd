"""The description of the API that the server gives of itself, made from the model's signature."""

from typing import Any

from credit_scoring.exported_model.contract import Column
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.serving.settings import Settings

_ERRORS = {
    400: "The body is not what the contract asks for; the message says where.",
    401: "The API key is missing or wrong.",
    413: "Too many bytes or rows.",
    415: "Neither JSON nor CSV in UTF-8.",
    429: "The key has asked more than its share; `Retry-After` says when to come back.",
    503: "Too many requests in hand; try again.",
}


def describe_api(folder: ModelFolder, settings: Settings) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document."""
    columns = folder.contract.columns
    record = {
        "type": "object",
        "properties": {column.name: _column(column) for column in columns},
        "required": [column.name for column in columns if column.required],
    }
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "data": {"type": "array", "items": {"type": "array"}, "maxItems": settings.max_rows},
        },
        "required": ["columns", "data"],
    }
    parameters = {
        name: {"type": "boolean" if isinstance(default, bool) else "string", "default": default}
        for name, default in folder.contract.parameters.items()
    }
    body = {
        "type": "object",
        "properties": {
            "dataframe_split": split,
            "dataframe_records": {"type": "array", "items": {"$ref": "#/components/schemas/Applicant"}},
            "inputs": {"type": "object", "additionalProperties": {"type": "array"}},
            "params": {"type": "object", "properties": parameters, "additionalProperties": False},
        },
    }
    reason = {
        "type": "object",
        "properties": {"effect": {"enum": ["against", "for"]}, "text": {"type": "string"}},
    }
    order = "With params.explain; what speaks for the decision first."
    prediction = {
        "type": "object",
        "properties": {
            "probability_default": {"type": "number", "minimum": 0, "maximum": 1},
            "decision": {"enum": ["granted", "refused"]},
            "threshold": {"type": "number"},
            "reasons": {"type": "array", "items": reason, "description": order},
        },
        "required": ["probability_default", "decision", "threshold"],
    }
    answers = {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}},
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Credit scoring", "version": folder.identity["model_id"]},
        "paths": {
            "/invocations": {
                "post": {
                    "summary": "Score applicants",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": body}, "text/csv": {"schema": {"type": "string"}}},
                    },
                    "responses": {
                        "200": _answer("One prediction per row, in order.", answers),
                        **{str(status): _error(text) for status, text in _ERRORS.items()},
                    },
                }
            },
            "/ping": {"get": {"summary": "Whether the model is loaded", "responses": {"200": {"description": "Yes."}}}},
            "/version": {
                "get": {"summary": "Which model answers", "responses": {"200": {"description": "Its origin."}}}
            },
            "/metrics": {"get": {"summary": "Counts for Prometheus", "responses": {"200": {"description": "Text."}}}},
        },
        "components": {
            "schemas": {
                "Applicant": record,
                "Prediction": prediction,
                "Error": {
                    "type": "object",
                    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
                },
            }
        },
    }
    if settings.asks_for_key:
        scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        document["components"]["securitySchemes"] = {"key": scheme}
        document["security"] = [{"key": []}]
    return document


def _column(column: Column) -> dict[str, Any]:
    words = [column.facts.get("description", "")]
    if column.facts.get("unit"):
        words.append(f"Unit: {column.facts['unit']}")
    if column.facts.get("null_when"):
        words.append(f"Null when {', or '.join(column.facts['null_when'])}")
    kind: dict[str, Any] = {"type": ["string" if column.is_text else "number", "null"]}
    description = ". ".join(filter(None, words))
    if description:
        kind["description"] = description
    if column.facts.get("categories"):
        kind["examples"] = list(column.facts["categories"])
    return kind


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _error(description: str) -> dict[str, Any]:
    return _answer(description, {"$ref": "#/components/schemas/Error"})
