"""Write the figures of the exported model into README.md and README.fr.md: `make readme`.

A figure is followed by its name in a comment, `0.0896<!-- threshold -->`, which no reader sees.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from credit_scoring.models import FAMILIES

ROOT = Path(__file__).parents[1]
PAGES = {"en": ROOT / "README.md", "fr": ROOT / "README.fr.md"}

_MARKED = re.compile(r"(?P<begin>`|\*\*|)(?P<figure>\w+(?:[.,\u202f]\w+)*)(?P<end>`|\*\*|)<!-- (?P<name>\w+) -->")
_ANSWER = re.compile(r"(?<=```json\n).*(?=\n```)")
_SOURCES = {
    "en": {"synthetic": "synthetic", "home_credit": "real"},
    "fr": {"synthetic": "synthétiques", "home_credit": "réelles"},
}


def read_figures(metadata: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the figures by name, as a language writes them.

    Args:
        metadata: What `MLmodel` says of the exported model.
        language: `en` or `fr`.
    """
    ratio = float(metadata["cost_ratio"])
    numbers = {
        "cost_ratio": f"{ratio:g}",
        "one_in": f"{1 + ratio:g}",
        "break_even": f"{1 / (1 + ratio):.4f}",
        "families": str(len(FAMILIES)),
        "holdout_applicants": f"{int(metadata['holdout_applicants']):,}".replace(
            ",", {"en": ",", "fr": "\u202f"}[language]
        ),
        **{name: f"{float(metadata[name]):.4f}" for name in ("threshold", "holdout_business_cost", "holdout_roc_auc")},
    }
    if language == "fr":
        numbers = {name: number.replace(".", ",") for name, number in numbers.items()}
    return {**numbers, "model": metadata["model"], "source": _SOURCES[language][metadata["source"]]}


def fill(page: str, figures: Mapping[str, str], answer: Mapping[str, object]) -> str:
    """Return a page with its figures, and with the first of the answers to the exported example.

    Raises:
        KeyError: If the page has a figure of an unknown name.
    """
    page = _MARKED.sub(
        lambda found: f"{found['begin']}{figures[found['name']]}{found['end']}<!-- {found['name']} -->", page
    )
    shown = json.dumps({"predictions": [answer]}, ensure_ascii=False).replace("}]}", "} …]}")
    return _ANSWER.sub(lambda _: shown, page)


def write_page(language: str, model: Path = ROOT / "model") -> str:
    """Return the page of a language with the figures of an exported model.

    Raises:
        SystemExit: If the model does not record all that the page says.
    """
    metadata = yaml.safe_load((model / "MLmodel").read_text(encoding="utf-8"))["metadata"]
    answers = json.loads((model / "serving_output_example.json").read_text(encoding="utf-8"))
    page = PAGES[language].read_text(encoding="utf-8")
    try:
        figures = read_figures(metadata, language)
    except KeyError as missing:
        sys.exit(f"{model}/MLmodel does not record {missing}: another version exported it.\nHint: kedro run")
    return fill(page, figures, answers["predictions"][0])


def main() -> None:
    """Write both pages."""
    for language, path in PAGES.items():
        path.write_text(write_page(language), encoding="utf-8")


if __name__ == "__main__":
    main()
