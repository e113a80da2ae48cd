"""The technical file of the AI Act (Annex IV): every sentence is made of nothing but the sources that it names.

What it says is written in `technical_documentation.yaml`, how it looks in `.md.jinja` and `.typ`.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from credit_scoring.features.catalogue import find_feature
from credit_scoring.figures import PALETTE
from credit_scoring.markdown import markdown_templates
from credit_scoring.models import family_class
from credit_scoring.models.labels import list_params
from credit_scoring.pipelines.reporting.interpretability import tell_interpretability
from credit_scoring.pipelines.reporting.model_card import list_software
from credit_scoring.pipelines.reporting.options import TechnicalFileOptions
from credit_scoring.pipelines.reporting.protection import tell_protection
from credit_scoring.pipelines.reporting.sentences import (
    compare_samples,
    describe_limits,
    describe_money,
    describe_review,
    describe_steadiness,
    explain_threshold,
)
from credit_scoring.protected import name_attribute, name_group
from credit_scoring.texts import texts_in

_SHARED: tuple[Callable[..., Any], ...] = (
    compare_samples,
    describe_limits,
    describe_money,
    describe_review,
    describe_steadiness,
    explain_threshold,
    tell_interpretability,
    tell_protection,
)
"""Sentences of other documents, which the file says in the same words."""
_TEMPLATES = markdown_templates(__file__)
_TEMPLATES.globals |= {sentences.__name__: partial(sentences, texts=texts_in("en")) for sentences in _SHARED}
_TEMPLATES.globals |= {
    "find_feature": find_feature,
    "list_params": list_params,
    "list_software": list_software,
    "name_attribute": partial(name_attribute, texts=texts_in("en")),
    "name_family": lambda family: family_class(family).labels["en"],
    "name_group": partial(name_group, texts=texts_in("en")),
}
_LAYOUT = Path(__file__).with_name("technical_documentation.typ")
_PAGE, _PARAMETER = ".md", "params:"


class Statement(BaseModel):
    """What the file says of one matter, as `technical_documentation.yaml` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...] = Field(alias="from", min_length=1)
    say: str = ""
    tell: str = ""
    gap: str = ""


class Part(BaseModel):
    """One of the nine parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    statements: tuple[Statement, ...] = Field(min_length=1)


PARTS = TypeAdapter(tuple[Part, ...]).validate_python(
    yaml.safe_load(_LAYOUT.with_suffix(".yaml").read_text(encoding="utf-8"))
)
_READ = dict.fromkeys(
    source.split(".")[0]
    for part in PARTS
    for statement in part.statements
    for source in statement.sources
    if not source.endswith(_PAGE)
)
ARTEFACTS: Mapping[str, str] = {
    "technical_file": "params:technical_file",
    **{dataset.removeprefix(_PARAMETER): dataset for dataset in _READ},
}
"""Name within statements -> dataset or parameter, of all that statements are made of."""


def gather_technical_documentation(technical_file: TechnicalFileOptions, **artefacts: Any) -> dict[str, Any]:
    """Make the sentences and the gaps of the nine parts.

    Args:
        technical_file: What only the provider knows.
        **artefacts: The others of `ARTEFACTS`, by their names.

    Returns:
        `source` of the data, and `parts`: each with `number`, `title` and `statements`, of which each is `said` or a
        `gap`, the other one being null, and has its `sources`.
    """
    known = {"technical_file": technical_file, **artefacts}
    return {
        "source": artefacts["source"],
        "parts": [
            {
                "number": number,
                "title": part.title,
                "statements": [made for statement in part.statements for made in _state(statement, known)],
            }
            for number, part in enumerate(PARTS, start=1)
        ],
    }


def write_technical_documentation(content: dict[str, Any]) -> str:
    """Write the technical file as Markdown. It names no time, so that equal runs write one text."""
    return _TEMPLATES.get_template("technical_documentation.md.jinja").render(content)


def set_technical_documentation(content: dict[str, Any]) -> bytes:
    """Set the technical file as a PDF; the same content gives the same bytes."""
    import typst  # noqa: PLC0415 - 40 MB of compiler that few nodes need

    with tempfile.TemporaryDirectory() as folder:
        synthetic = texts_in("en").say("figure.synthetic") if content["source"] == "synthetic" else ""
        written = json.dumps({**content, "synthetic": synthetic, "palette": PALETTE})
        Path(folder, "content.json").write_text(written, encoding="utf-8")
        main = Path(shutil.copy(_LAYOUT, folder))
        return typst.compile(main, root=Path(folder), format="pdf", ignore_system_fonts=True, timestamp=0)


def _state(statement: Statement, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a statement says, a gap where a source is missing, nothing where there is nothing to say."""
    read = [source for source in statement.sources if not source.endswith(_PAGE)]
    missing = [source for source in read if _is_missing(_find(source, known))]
    heads = {source.split(".")[0].removeprefix(_PARAMETER) for source in read}
    said = [] if missing else _say(statement, {name: known[name] for name in heads})
    for sentence in said:
        yield {"said": sentence, "gap": None, "sources": list(statement.sources)}
    if missing or (statement.gap and not said):
        gap = statement.gap or "What this would be told from is missing."
        yield {"said": None, "gap": gap, "sources": missing or list(statement.sources)}


def _say(statement: Statement, known: Mapping[str, Any]) -> list[str]:
    if statement.tell:
        return [*(_TEMPLATES.compile_expression(statement.tell, undefined_to_none=False)(known) or ())]
    written = " ".join(_TEMPLATES.from_string(statement.say).render(known).split())
    return [written] if written else []


def _find(source: str, known: Mapping[str, Any]) -> Any:
    """Return what stands at the end of the way `head.key.key`; null if there is no such way."""
    head, *steps = source.removeprefix(_PARAMETER).split(".")
    value = known.get(head)
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping | pd.DataFrame) else getattr(value, step, None)
    return value


def _is_missing(value: Any) -> bool:
    if isinstance(value, Mapping | Sequence):  # an empty table says that there is none of what it lists
        return len(value) == 0
    return value is None or (isinstance(value, float) and math.isnan(value))
