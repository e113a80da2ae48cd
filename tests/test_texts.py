"""Both catalogues say all that the code asks for, and numbers are written the way of the language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

from credit_scoring import texts
from credit_scoring.texts import LANGUAGES, Language, TextError, Texts, fold, texts_in

Asked = tuple[str, re.Pattern[str], set[str] | None]
"""Where a text is asked for, the keys that may be meant, and the values given if all are written out."""
SOURCE = Path(texts.__file__).parents[1]


class _Strict(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice: {keys}"
        return super().construct_mapping(node, deep=deep)


def entries(language: str) -> dict[str, dict[str, str]]:
    content = yaml.load((Path(texts.__file__).with_name(f"{language}.yaml")).read_text(), _Strict)
    return dict(texts._flatten(content, language))


def places(text: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None}


ENTRIES = {language: entries(language) for language in LANGUAGES}
KEYS = set(ENTRIES["en"])


def asked_in_code() -> Iterator[Asked]:
    """Yield what modules ask for, which is read and not run."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say"
            if not called or ast.unparse(node).startswith("self.texts.say(key"):  # where figures hand it on
                continue
            values = {keyword.arg for keyword in node.keywords}
            for key in _alternatives(node.args[0]):
                where = f"{path.name}:{node.lineno}"
                yield where, key, None if None in values else {value for value in values if value}


def _alternatives(key: ast.expr) -> Iterator[re.Pattern[str]]:
    if isinstance(key, ast.IfExp):
        yield from _alternatives(key.body)
        yield from _alternatives(key.orelse)
    elif isinstance(key, ast.JoinedStr):
        parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in key.values]
        yield re.compile("".join(parts))
    else:
        assert isinstance(key, ast.Constant), f"a key is written out where it is asked for: {ast.unparse(key)}"
        yield re.compile(re.escape(str(key.value)))


def asked_in_templates() -> Iterator[Asked]:
    for page in (SOURCE / "pipelines/monitoring/drift_report.html", *sorted(SOURCE.rglob("*.jinja"))):
        for key, more, values in re.findall(r'say\(\s*"([\w.]+)"( ~)?((?:[^()]|\([^()]*\))*)\)', page.read_text()):
            given = set(re.findall(r"(\w+)=", values))
            yield page.name, re.compile(re.escape(key) + (r"\w+" if more else "")), given
    for page in ("report", "scorecard"):
        template = SOURCE / f"pipelines/reporting/{page}.typ"
        for key in re.findall(r"\bt\.(\w+)", template.read_text()):
            yield template.name, re.compile(rf"{page}\.{key}"), None


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    """Return all that is asked for, in the order of the two functions above."""
    return [*asked_in_code(), *asked_in_templates()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_values(language: Language) -> None:
    assert set(ENTRIES[language]) == KEYS
    for key, forms in ENTRIES[language].items():
        assert all(text.strip() for text in forms.values()), key
        assert (len(forms) > 1) == (len(ENTRIES["en"][key]) > 1), f"{key} depends on a number in one language only"
        assert places(forms["other"]) == places(ENTRIES["en"][key]["other"]), key
        assert all(places(text) <= places(forms["other"]) for text in forms.values()), key


def test_the_code_asks_for_texts_that_exist_and_fills_all_their_places(
    asked: list[Asked],
) -> None:
    assert len(asked) > 250
    for where, pattern, given in asked:
        meant = [key for key in KEYS if pattern.fullmatch(key)]
        assert meant, f"{where} asks for {pattern.pattern}"
        for key in meant if given is not None else ():
            forms = ENTRIES["en"][key]
            wanted = {name for name, _ in places(forms["other"])} | ({"n"} if len(forms) > 1 else set())
            assert given == wanted, f"{where} fills {key}"


def test_every_text_is_asked_for(asked: list[Asked]) -> None:
    assert sorted(key for key in KEYS if not any(pattern.fullmatch(key) for _, pattern, _ in asked)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_said(language: Language) -> None:
    for key, forms in ENTRIES[language].items():
        values: dict[str, Any] = {name: 1 if spec else "word" for name, spec in places(forms["other"])}
        said = texts_in(language).say(key, **(values | {"n": 1} if len(forms) > 1 else values))
        assert said
        assert "{" not in said


@pytest.mark.parametrize(
    ("value", "spec", "french", "english"),
    [
        (1_234_567, ",", "1\u202f234\u202f567", "1,234,567"),
        (1234.5, ".2f", "1\u202f234,50", "1,234.50"),
        (100_234, "d", "100234", "100234"),
        (0.0765, ".1%", "7,6\xa0%", "7.6%"),  # half to even, as banks round
        (0.0775, ".1%", "7,8\xa0%", "7.8%"),
        (-0.5, "+.3f", "−0,500", "−0.500"),
        (0.5, "+.3f", "+0,500", "+0.500"),
        (-0.0002, ".3f", "0,000", "0.000"),  # what rounds to zero is not below it
        (-0.0002, "+.1%", "+0,0\xa0%", "+0.0%"),
        (0.25, "g", "0,25", "0.25"),
        (0.1 + 0.2, "g", "0,3", "0.3"),
        (12_345.678, ".3g", "12\u202f300", "12,300"),
        (1e-7, "g", "0,0000001", "0.0000001"),
        (1e38, ",", "100" + "\u202f000" * 12, "100" + ",000" * 12),
        (1.5e308, ".1f", "150" + "\u202f000" * 102 + ",0", "150" + ",000" * 102 + ".0"),
        (float("nan"), ".3f", "–", "–"),
        (float("-inf"), ",", "−∞", "−∞"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(value: float, spec: str, french: str, english: str) -> None:
    assert texts_in("fr").number(value, spec) == french
    assert texts_in("en").number(value, spec) == english


@pytest.mark.parametrize(
    ("n", "french", "english"),
    [(0, "0 anomalie", "0 violations"), (1, "1 anomalie", "1 violation"), (2, "2 anomalies", "2 violations"),
     (1_000_000, "1\u202f000\u202f000 anomalies", "1,000,000 violations")],
)  # fmt: skip
def test_each_language_has_its_own_plural(n: int, french: str, english: str) -> None:
    assert texts_in("fr").say("report.findings", n=n) == french
    assert texts_in("en").say("report.findings", n=n) == english


def test_no_line_begins_with_a_sign_that_french_sets_apart() -> None:
    lines = fold("Jour d'octroi (crédits ailleurs) : il y a 91 jours, « le plus ancien », 50 % ; voir", 33).splitlines()
    assert [line.replace("\N{NO-BREAK SPACE}", "_") for line in lines] == [
        "Jour d'octroi (crédits",
        "ailleurs)_: il y a 91 jours, «_le",
        "plus ancien_», 50_%_; voir",
    ]


def test_enumerations_end_with_and() -> None:
    assert texts_in("fr").join(["a", "b", "c"]) == "a, b et c"
    assert texts_in("en").join(["a", "b"]) == "a and b"
    assert texts_in("en").join(["a"]) == "a"


def test_a_wrong_key_or_value_is_an_error_that_names_the_key() -> None:
    english = texts_in("en")
    with pytest.raises(TextError, match=r"No text 'cost_curve.tuend' in texts/en.yaml.\nHint: .*cost_curve.tuned"):
        english.say("cost_curve.tuend", threshold=0.1)
    with pytest.raises(TextError, match=r"'cost_curve.tuned' .* has places for \['threshold'\], got \[\]"):
        english.say("cost_curve.tuned")
    with pytest.raises(TextError, match=r"'cost_curve.oof' .* has places for \[\], got \['threshold'\]"):
        english.say("cost_curve.oof", threshold=0.1)
    with pytest.raises(TextError, match=r"No text 'reprot'"):
        english.page("reprot")
    with pytest.raises(TextError, match=r"No number is written as '.3e'"):
        english.number(1.0, ".3e")


def test_an_entry_that_is_no_text_is_an_error() -> None:
    with pytest.raises(TextError, match=r"page.True in texts/en.yaml: .*\nHint: put quotes around words such as yes"):
        dict(texts._flatten({"page": {True: "yes"}}, "en"))


def test_an_unknown_language_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"Unknown language 'de'.\nHint: reasons are told in fr or en."):
        texts_in("de")
    with pytest.raises(ValueError, match=r"Unknown language \['fr'\]"):
        texts_in(["fr"])
    assert isinstance(texts_in("fr"), Texts)
