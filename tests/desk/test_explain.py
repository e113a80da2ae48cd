"""One applicant is explained by number: as they are decided on, from the store of the desk or from the source files."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from credit_scoring.decide import decide
from credit_scoring.desk import explain as explain_module
from credit_scoring.desk.application import Desk
from credit_scoring.desk.settings import DeskSettings
from credit_scoring.desk.source_rows import SourceFileError, read_applicant
from tests.conftest import Project
from tests.desk.conftest import BROKEN

Explain = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def features(demo: Project) -> pd.DataFrame:
    """Return the features that batches are scored from, by SK_ID_CURR."""
    return pd.read_parquet(demo.path / "data/04_feature/synthetic/applicant_features.parquet").set_index("SK_ID_CURR")


@pytest.fixture(scope="module")
def picked(features: pd.DataFrame) -> dict[str | None, int]:
    """Return the last applicant of each side, null for those to score; the first of these are spoilt."""
    return {side: int(features.index[features["SPLIT"].eq(side) if side else features["SPLIT"].isna()].max())
            for side in ("train", "holdout", None)}  # fmt: skip


@pytest.fixture
def command(
    settings: DeskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command on the desk's data: status, what it says, what it complains of."""

    def run(client: object, *options: str, folder: Path | None = None) -> tuple[int, str, str]:
        for name in ("model", "data"):
            monkeypatch.setenv(f"DESK_{name.upper()}", str(getattr(settings, name)))
        monkeypatch.setenv("DESK_RAW_FOLDER", str(settings.raw))
        monkeypatch.setenv("DESK_FOLDER", str(folder or tmp_path / "no desk"))
        capsys.readouterr()
        status = explain_module.main([str(client), "--folder", str(tmp_path / "out"), *options])
        return status, *capsys.readouterr()

    return run


def test_it_says_what_decide_and_the_batch_say_and_whether_the_model_learnt_from_the_client(
    desk: Desk, settings: DeskSettings, features: pd.DataFrame, picked: dict[str | None, int], command: Callable,
    tmp_path: Path,
) -> None:  # fmt: skip
    batch = desk.proposer.scorer.predict(features.loc[[*picked.values()]], {"explain": True, "language": "en"})
    for side, client in picked.items():
        status, said, _ = command(client, "--language", "en")
        assert status == 0
        told = json.loads((tmp_path / f"out/client_{client}.json").read_bytes())
        answer = decide(desk.applicants.read(client) | {"params": {"explain": True, "language": "en"}}, settings.model)
        assert isinstance(answer, dict)
        for name in ("probability_default", "decision", "threshold", "review_band", "rows_dropped"):
            assert told[name] == answer[name], name
        assert (told["reasons"]["en"], told["gaps"]["en"]) == (answer["reasons"], answer["gaps"])
        row = batch.loc[client]
        assert (told["decision"], told["probability_default"]) == (
            row["decision"], pytest.approx(row["probability_default"], rel=1e-9),
        )  # fmt: skip
        # A sum of which the last bit differs may be written as 135,454 or 135,455
        assert re.sub(r"\d", "", str(told["reasons"]["en"])) == re.sub(r"\d", "", str(row["reasons"]))
        assert told["learnt_from"] is (side == "train")
        among = "This customer is among the training rows of the model"
        assert (among if side == "train" else "The model did not learn from this customer.") in said
        assert all(reason["text"] in said for reason in answer["reasons"])


def test_its_files_are_named_and_written(picked: dict[str | None, int], command: Callable, tmp_path: Path) -> None:
    status, said, _ = command(picked["holdout"], "--counterfactual")
    files = [tmp_path / f"out/client_{picked['holdout']}.{kind}" for kind in ("md", "svg", "json")]
    assert status == 0
    assert said.endswith(f"\nWritten to {', '.join(map(str, files))}\n")
    text = files[0].read_text(encoding="utf-8")
    assert said.startswith(text)
    assert "*Données synthétiques : ce client n'existe pas.*" in text
    assert f"]({files[1].name})" in text
    assert files[1].read_text(encoding="utf-8").count("<rect ") > 3
    assert json.loads(files[2].read_bytes())["counterfactual"]["text"] in text


def test_the_store_of_the_desk_is_read_where_it_is_of_these_files_and_this_model(
    desk: Desk, settings: DeskSettings, picked: dict[str | None, int], command: Callable, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert desk  # it has made its file
    told = [command(picked["train"], folder=folder)[1] for folder in (None, settings.folder)]
    assert told[0] == told[1]
    monkeypatch.delattr(explain_module, "read_applicant")
    assert command(picked["train"], folder=settings.folder)[0] == 0
    with pytest.raises(NameError):
        command(picked["train"])


def test_an_unknown_number_is_one_sentence_with_a_hint(
    settings: DeskSettings, desk: Desk, command: Callable, tmp_path: Path
) -> None:
    first = pd.read_csv(settings.raw / "application_train.csv", nrows=1)["SK_ID_CURR"].item()
    sentence = (
        f"No client 7: neither application_train nor application_test in {settings.raw} has this SK_ID_CURR.\n"
        f"Hint: one that there is: credit-scoring explain {first}\n"
    )
    for folder in (None, settings.folder):
        assert command(7, folder=folder) == (1, "", sentence)
    assert not (tmp_path / "out").exists()


def test_tables_settings_and_models_that_are_not_in_order_are_sentences(
    settings: DeskSettings, command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = sorted(pd.read_csv(settings.raw / "application_test.csv")["SK_ID_CURR"])[BROKEN]
    status, said, complaint = command(broken, "--language", "en")
    assert (status, said) == (1, "")
    assert complaint.startswith(f"The tables of client {broken} are not in order: ")
    assert "previous_application" in complaint
    monkeypatch.setenv("DESK_SOUCE", "home_credit")
    assert command(broken)[0] == 2
    monkeypatch.delenv("DESK_SOUCE")
    monkeypatch.setattr(DeskSettings, "layer", lambda *_: tmp_path)  # the features of the run are not there
    client = pd.read_csv(settings.raw / "application_train.csv", nrows=1)["SK_ID_CURR"].item()
    assert "Whether the model learnt from this customer is not known" in command(client, "--language", "en")[1]


def test_rows_are_found_in_files_of_any_form(desk: Desk, settings: DeskSettings, tmp_path: Path) -> None:
    """Those of the desk's store, which DuckDB read: compressed, with other line ends, in another order of columns."""
    contracts = desk.proposer.decider.tables
    counts = pd.read_csv(settings.raw / "bureau.csv")["SK_ID_CURR"].value_counts()
    clients = [int(counts.index[0]), int(counts.index[-1])]
    odd = tmp_path / "odd"
    shutil.copytree(settings.raw, odd)
    forms = pd.read_csv(odd / "application_train.csv", dtype=str, keep_default_na=False)
    forms[[*reversed(forms.columns)]].assign(OTHER="1,5").to_csv(odd / "application_train.csv", index=False)
    bureau = (odd / "bureau.csv").read_bytes()
    (odd / "bureau.csv").write_bytes(b"\xef\xbb\xbf" + bureau.replace(b"\n", b"\r\n"))
    (odd / "installments_payments.csv.gz").write_bytes(gzip.compress((odd / "installments_payments.csv").read_bytes()))
    (odd / "installments_payments.csv").unlink()

    def ordered(tables: dict[str, Any] | None) -> dict[str, Any]:
        assert tables
        return {
            name: sorted(map(str, ({key: None if value is None else str(value).removesuffix(".0")
                                    for key, value in sorted(row.items())}
                                   for row in ([rows] if name == "application" else rows))))
            for name, rows in tables.items() if rows
        }  # fmt: skip

    for client in clients:
        kept = ordered(desk.applicants.read(client))
        assert ordered(read_applicant(settings.raw, client, contracts)) == kept
        assert ordered(read_applicant(odd, client, contracts)) == kept
    assert read_applicant(odd, 7, contracts) is None


def test_a_file_that_cannot_be_read_is_named(desk: Desk, settings: DeskSettings, tmp_path: Path) -> None:
    contracts = desk.proposer.decider.tables
    client = int(pd.read_csv(settings.raw / "bureau.csv", nrows=1)["SK_ID_CURR"].item())
    folder = tmp_path / "raw"
    shutil.copytree(settings.raw, folder)
    for wrong, said in (
        (b"%d,1,2\n" % client, r"bureau\.csv has a row that cannot be read"),
        (b"", r"bureau\.csv cannot be used: it has no column SK_ID_CURR"),
        (None, r"bureau\.csv cannot be used: a file was expected, none found"),
    ):
        if wrong is None:
            (folder / "bureau.csv").unlink()
        else:
            (folder / "bureau.csv").write_bytes(wrong and (settings.raw / "bureau.csv").read_bytes() + wrong)
        with pytest.raises(SourceFileError, match=said):
            read_applicant(folder, client, contracts)


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("bureau.csv", lambda text: spoil_credits(text, ""), "has a row that cannot be read: no whole number in SK"),
        ("bureau.csv", lambda text: spoil_credits(text, "nan"), "has a row that cannot be read: no whole number in SK"),
        ("bureau.csv", lambda text: text.replace(b"SK_ID_BUREAU", b"CREDIT", 1), "no whole number in SK_ID_BUREAU"),
        ("POS_CASH_balance.csv.gz", lambda text: gzip.compress(text)[:-2000], "cannot be used: Compressed file ended "),
        ("POS_CASH_balance.csv.gz", lambda text: b"\0".join(gzip.compress(text).rsplit(b"\n", 1)), "cannot be used: "),
        ("POS_CASH_balance.csv.gz", lambda text: text, "cannot be used: Not a gzipped file"),
        ("application_train.csv", lambda text: b"x" * 200_000 + text, "cannot be used: field larger than field limit"),
        ("application_train.csv", lambda text: b"\xff" + text, "cannot be used: 'utf-8' codec can't decode"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_a_hint(
    settings: DeskSettings, command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, spoil: Callable[[bytes], bytes], said: str,
) -> None:  # fmt: skip
    client = int(pd.read_csv(settings.raw / "bureau.csv", nrows=1)["SK_ID_CURR"].item())
    folder, plain = tmp_path / "raw", name.removesuffix(".gz")
    folder.mkdir()
    for path in settings.raw.glob("*.csv"):
        if path.name != plain:
            (folder / path.name).symlink_to(path)
    (folder / name).write_bytes(spoil((settings.raw / plain).read_bytes()))
    monkeypatch.setattr(DeskSettings, "raw", folder)
    status, _, complaint = command(client)
    assert status == 1
    assert re.match(rf"{re.escape(str(folder / name))} .*{re.escape(said)}.*\.\nHint: `kedro run [^\n]*\n$", complaint)


def spoil_credits(text: bytes, number: str) -> bytes:
    """Put another number into the first row of `bureau`."""
    header, row, rest = text.split(b"\n", 2)
    cells = row.split(b",")
    cells[header.split(b",").index(b"SK_ID_BUREAU")] = number.encode()
    return b"\n".join([header, b",".join(cells), rest])


def test_lines_are_found_wherever_they_lie(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few bytes, numbers within other cells and numbers, no line end at the end."""
    monkeypatch.setattr("credit_scoring.desk.source_rows._BLOCK", 7)
    tmp_path.joinpath("application_train.csv").write_text(
        'AMT_CREDIT,SK_ID_CURR,NAME_CONTRACT_TYPE\n12,112,"a,12"\n12.5,12,"Cash, ""12"""\n,120,12'
    )
    for name in ("bureau", "bureau_balance", "previous_application", "POS_CASH_balance", "installments_payments",
                 "credit_card_balance", "application_test"):  # fmt: skip
        tmp_path.joinpath(f"{name}.csv").write_text(
            "SK_ID_BUREAU,MONTHS_BALANCE\n512,-1\n513,-12\n5120,-2\n512,-3\n" if name == "bureau_balance"
            else "SK_ID_CURR,SK_ID_BUREAU\n12,512\n120,513\n12,514\n"
        )  # fmt: skip
    tables = read_applicant(tmp_path, 12, desk.proposer.decider.tables)
    assert tables
    assert tables["application"] == {"AMT_CREDIT": 12.5, "SK_ID_CURR": 12, "NAME_CONTRACT_TYPE": 'Cash, "12"'}
    assert [row["SK_ID_BUREAU"] for row in tables["bureau"]] == [512, 514]
    assert [row["MONTHS_BALANCE"] for row in tables["bureau_balance"]] == [-1, -3]


def test_the_command_is_one_of_the_project(demo: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "credit_scoring", "explain", "7"], cwd=demo.path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("No client 7: ")
    assert "Traceback" not in done.stderr
