"""The applicants of the desk: found by key, as the source tables have them, with what the model proposes."""

from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.decide import decide
from credit_scoring.desk.applicants import PAGE, PROPOSALS, Wanted, open_applicants, reopen_applicants, summarise
from credit_scoring.desk.application import Desk
from credit_scoring.desk.settings import DeskSettings
from tests.desk.conftest import BROKEN, IMPLAUSIBLE


@pytest.fixture(scope="module")
def forms(settings: DeskSettings) -> pd.DataFrame:
    files = {side: pd.read_csv(settings.raw / f"application_{side}.csv") for side in ("train", "test")}
    # Copied into few blocks: pandas warns of the many that reading made
    return pd.concat(files, names=["side"]).copy().reset_index("side").set_index("SK_ID_CURR")


@pytest.mark.parametrize("prefix", ["1", "10", "100", "23", "4561", "999999999"])
def test_a_prefix_finds_the_keys_that_begin_with_it(desk: Desk, forms: pd.DataFrame, prefix: str) -> None:
    expected = [client for client in forms.index if str(client).startswith(prefix)]
    wanted = Wanted(prefix=prefix)
    assert desk.applicants.count(wanted) == len(expected)
    found = [row.client for at in range(0, len(expected) + 1, PAGE) for row in desk.applicants.find(wanted, at)]
    assert sorted(found) == sorted(expected)


def test_what_waits_comes_first_then_reviews_then_the_greatest_risk(desk: Desk, forms: pd.DataFrame) -> None:
    rows = [row for at in range(0, len(forms), PAGE) for row in desk.applicants.find(Wanted(), at)]
    keys = [(not row.is_new, PROPOSALS.index(row.proposal), -(row.probability or 0)) for row in rows if row.probability]
    assert keys == sorted(keys)
    assert {row.client for row in rows if row.is_new} == set(forms.index[forms["side"] == "test"])


def test_filters_hold(desk: Desk, forms: pd.DataFrame) -> None:
    product = desk.applicants.products[0]
    found = desk.applicants.find(Wanted(proposal="granted", product=product, is_new=False))
    assert found
    assert all((row.proposal, row.product, row.is_new) == ("granted", product, False) for row in found)
    assert desk.applicants.count(Wanted(product=product)) == (forms["NAME_CONTRACT_TYPE"] == product).sum()


def test_the_raw_tables_are_those_of_the_files(desk: Desk, settings: DeskSettings, forms: pd.DataFrame) -> None:
    bureau = pd.read_csv(settings.raw / "bureau.csv")
    months = pd.read_csv(settings.raw / "bureau_balance.csv")
    client = bureau["SK_ID_CURR"].value_counts().index[0]
    tables = desk.applicants.read(int(client))
    own = bureau[bureau["SK_ID_CURR"] == client]
    assert tables["application"]["AMT_CREDIT"] == forms.loc[client, "AMT_CREDIT"]
    assert tables["application"].keys() == set(forms.columns) - {"side", "TARGET"} | {"SK_ID_CURR"}
    assert sorted(row["SK_ID_BUREAU"] for row in tables["bureau"]) == sorted(own["SK_ID_BUREAU"])
    total = sum(row["AMT_CREDIT_SUM"] or 0 for row in tables["bureau"])
    assert total == pytest.approx(own["AMT_CREDIT_SUM"].sum(), rel=1e-12)
    assert len(tables["bureau_balance"]) == months["SK_ID_BUREAU"].isin(own["SK_ID_BUREAU"]).sum()


def test_what_is_proposed_is_what_decide_says(desk: Desk, settings: DeskSettings) -> None:
    for row in desk.applicants.find(Wanted(proposal="refused"))[:5]:
        answer = decide(desk.applicants.read(row.client), settings.model)
        assert isinstance(answer, dict)
        assert answer["decision"] == "refused"
        assert answer["probability_default"] == pytest.approx(row.probability, rel=1e-9)


def test_rows_that_are_not_in_order_make_a_review(desk: Desk, settings: DeskSettings) -> None:
    keys = sorted(pd.read_csv(settings.raw / "application_test.csv")["SK_ID_CURR"])
    implausible, broken = desk.applicants.get(keys[IMPLAUSIBLE]), desk.applicants.get(keys[BROKEN])
    assert implausible
    assert (implausible.proposal, implausible.probability is None) == ("review", False)
    assert desk.propose(implausible.client, "en").answer["gaps"][0]["column"] == "AMT_INCOME_TOTAL"
    assert broken
    assert (broken.proposal, broken.probability) == ("review", None)
    problems = desk.propose(broken.client, "en").problems
    assert problems
    assert all("previous_application" in problem and "same key" in problem for problem in problems)


def test_the_file_is_made_anew_if_the_source_tables_change_and_only_then(
    desk: Desk, settings: DeskSettings, tmp_path, monkeypatch
) -> None:
    path = settings.folder / settings.source / "applicants.db"
    before = path.stat().st_mtime_ns
    assert path.stat().st_mode & 0o077 == 0  # raw rows are for nobody else
    open_applicants(settings, desk.proposer)
    assert path.stat().st_mtime_ns == before
    built = []
    monkeypatch.setattr(
        "credit_scoring.desk.applicants._build",
        lambda connection, *_: (built.append(1), connection.execute("CREATE TABLE origin (fingerprint TEXT)")),
    )
    other = settings.model_copy(update={"raw_folder": tmp_path, "folder": tmp_path})
    open_applicants(other, desk.proposer)
    open_applicants(other, desk.proposer)
    (tmp_path / "bureau.csv").touch()
    open_applicants(other, desk.proposer)
    assert len(built) == 2
    monkeypatch.setattr("credit_scoring.desk.applicants._LAYOUT", "of another version")
    open_applicants(other, desk.proposer)
    assert len(built) == 3


def test_a_file_that_is_no_store_of_applicants_is_made_anew(
    desk: Desk, settings: DeskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = settings.model_copy(update={"folder": tmp_path})
    path = tmp_path / settings.source / "applicants.db"
    path.parent.mkdir()
    monkeypatch.setattr(
        "credit_scoring.desk.applicants._build",
        lambda connection, *_: connection.execute("CREATE TABLE origin (fingerprint TEXT)"),
    )
    for content in (b"no database " * 100, b""):
        path.write_bytes(content)
        assert reopen_applicants(other, desk.proposer.manifest) is None
        open_applicants(other, desk.proposer)
        assert reopen_applicants(other, desk.proposer.manifest) is not None
    path.unlink()
    path.mkdir()  # cannot be opened, as a file of somebody else
    assert reopen_applicants(other, desk.proposer.manifest) is None


def test_an_applicant_is_summed_up() -> None:
    form = {
        "NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 5.0, "AMT_ANNUITY": None, "AMT_INCOME_TOTAL": 2.0,
        "DAYS_BIRTH": -14610, "DAYS_EMPLOYED": 365243, "EXT_SOURCE_1": 0.2, "EXT_SOURCE_2": None, "EXT_SOURCE_3": 0.6,
    }  # fmt: skip
    assert summarise(form) == ("Cash loans", 5.0, None, 2.0, 40.0, None, pytest.approx(0.4))
