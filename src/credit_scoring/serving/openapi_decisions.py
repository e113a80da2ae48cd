"""What the description of the API says of `/decisions`, from the contracts of the raw tables that the model brings."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from credit_scoring.exported_model.loading import ServedDecider

_FORM = "application"
_LANGUAGES = {"français": "fr", "English": "en"}
# Of fields that may be null, what the example tells
_EXAMPLE = (
    *("AMT_INCOME_TOTAL", "AMT_CREDIT", "AMT_ANNUITY", "AMT_GOODS_PRICE", "EXT_SOURCE_2", "EXT_SOURCE_3"),
    *("REGION_POPULATION_RELATIVE", "DAYS_REGISTRATION", "CNT_FAM_MEMBERS"),
)
_LEVERS = ("amount", "annuity", "down_payment", "settlement")


def describe_request(decider: ServedDecider, max_rows: int) -> dict[str, Any]:
    """Return the content of a request: one applicant, or a list of them, with an example in either language."""
    schema = {
        "oneOf": [
            {"$ref": "#/components/schemas/RawApplicant"},
            {
                "type": "array",
                "items": {"$ref": "#/components/schemas/RawApplicant"},
                "minItems": 1,
                "maxItems": max_rows,
            },
        ]
    }
    examples = {name: {"value": example_request(decider, language)} for name, language in _LANGUAGES.items()}
    return {"application/json": {"schema": schema, "examples": examples}}


def describe_answer(decider: ServedDecider) -> dict[str, Any]:
    """Return the content of an answer, with those to the examples of the request."""
    one = {"$ref": "#/components/schemas/Decision"}
    examples = {
        name: {
            "value": decider.decide([example_request(decider, language)])[0]
            | {"manifest_sha256": "c709c5…", "request_id": "order-4711"}
        }
        for name, language in _LANGUAGES.items()
    }
    schema = {"oneOf": [one, {"type": "array", "items": one}]}
    return {"application/json": {"schema": schema, "examples": examples}}


def describe_schemas(decider: ServedDecider, gap: Mapping[str, Any], max_history: int) -> dict[str, Any]:
    """Return the schemas of an applicant and of a decision.

    Args:
        decider: What decides.
        gap: Schema of a gap's properties.
        max_history: Most rows of a table.
    """
    tables: dict[str, Any] = {}
    for name, contract in decider.tables.items():
        row = _row(contract)
        grain = {"description": f"A row is {contract['grain']}."}
        tables[name] = row if name == _FORM else {"type": "array", "items": row, "maxItems": max_history} | grain
    language = {"enum": list(_LANGUAGES.values()), "default": "fr"}
    flag = {"type": "boolean", "default": False}
    lever = {"type": "array", "items": {"enum": list(_LEVERS)}, "minItems": 1}
    or_null = {"type": ["object", "null"]}
    form = {key: value for key, value in tables[_FORM].items() if key != "required"}
    options = {
        "params": _object({"explain": flag, "features": flag, "language": language}, required=()) | or_null,
        "simulate": _object({**tables, _FORM: form}, required=())
        | or_null
        | {"description": "Fields of the application, and whole histories, put in the place of those sent."},
        "counterfactual": {
            "oneOf": [{"type": ["boolean", "null"]}, _object({"levers": lever}, required=())],
            "description": "Whether to look for the smallest change that leads to approval, of these levers.",
        },
    }
    reason = _object({"effect": {"enum": ["against", "for"]}, "text": {"type": "string"}})
    reasons = {"type": "array", "items": reason}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    band = _object({"low": probability, "high": probability})
    place = {"table": {"type": "string"}, "row": {"type": ["integer", "null"], "minimum": 0}}
    decision = {
        "SK_ID_CURR": {"type": "integer"},
        "probability_default": probability,
        "decision": {
            "enum": ["granted", "refused", "review"],
            "description": "`review`: a person decides; see `gaps`.",
        },
        "threshold": probability | {"description": "Refused from here on."},
        "review_band": {
            "oneOf": [band, {"type": "null"}],
            "description": "Probabilities for which a reviewer would be worth the price; null if none is planned for.",
        },
        "gaps": {
            "type": "array",
            "items": _object({**gap, **place}, required=tuple(gap)),
            "description": "Why nothing is decided automatically; of a raw table with its table and row, from 0; the "
            "form has none.",
        },
        "rows_dropped": {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 1},
            "description": "By table, rows that were left out: after the application, or copies of another one.",
        },
    }
    change = {"new": reasons, "gone": reasons}
    number = {"type": "number"}
    simulation = _object({**decision, "difference": number, "reasons": _object(change), "text": {"type": "string"}})
    move = _object({"lever": {"enum": list(_LEVERS)}, "old": number, "new": number})
    searched = {"levers": {"type": "object"}, "changes": {"type": "integer"}, "complete": {"type": "boolean"}}
    found = {"found": {"type": "boolean"}, "text": {"type": "string"}}
    further = {
        "changes": {"type": "array", "items": move},
        "probability_default": probability,
        "decision": {"const": "granted"},
        "searched": _object({**searched, "milliseconds": number}),
    }
    asked = {
        "reasons": reasons | {"description": "With params.explain; the heaviest first."},
        "features": {
            "type": "object",
            "additionalProperties": {"type": ["number", "string", "null"]},
            "description": "With params.features: what the model was asked with.",
        },
        "simulation": simulation | {"description": "With simulate: what would be said then. A simulation, no promise."},
        "counterfactual": _object({**found, **further}, required=tuple(found))
        | {"description": "With counterfactual. A simulation, no promise."},
    }
    record = {"id": {"type": "string", "description": "Of the decision's record, where decisions are recorded."}}
    origin = {"manifest_sha256": {"type": "string"}, "request_id": {"type": "string"}}
    return {
        "RawApplicant": _object({**tables, **options}, required=(_FORM,)),
        "Decision": _object({**decision, **asked, **origin, **record}, required=(*decision, *origin)),
    }


def example_request(decider: ServedDecider, language: str) -> dict[str, Any]:
    """Return an applicant without histories, with plausible values, and what may be asked beside."""
    columns = decider.tables[_FORM]["columns"]
    form = {
        name: _plausible(told)
        for name, told in columns.items()
        if not told["nullable"] or told["type"] == "string" or name in _EXAMPLE
    }
    return {_FORM: form, "bureau": [], "params": {"explain": True, "language": language}}


def _plausible(told: Mapping[str, Any]) -> Any:
    if "low" not in told:
        return told.get("values", (100_001,))[0]
    low, high = told["low"], told["high"]
    middle = sqrt(low * high) if low > 0 else (low + high) / 2
    return round(middle) if abs(middle) > 1 or told["type"] == "int32" else middle


def _row(contract: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: _column(told) for name, told in contract["columns"].items()}
    required = [name for name, told in contract["columns"].items() if not told["nullable"]]
    return _object(columns, required=tuple(required))


def _column(told: Mapping[str, Any]) -> dict[str, Any]:
    whole = told["type"] == "int32"
    kind = "string" if told["type"] == "string" else "integer" if whole else "number"
    words = [told["description"]]
    if "low" in told:
        codes = "".join(f", or {code:.10g}" for code in told["codes"])
        words.append(f"Plausible: from {told['low']:.10g} to {told['high']:.10g}{codes}")
    described: dict[str, Any] = {"type": kind if whole else [kind, "null"], "description": ". ".join(words)}
    if whole:
        described |= {"minimum": -(2**31) + 1, "maximum": 2**31 - 1}
    if "values" in told:
        described["examples"] = told["values"]
    return described


def _object(properties: Mapping[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    names = [*properties] if required is None else [*required]
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
