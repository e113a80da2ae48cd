"""What is learnt from decisions, against values computed by hand."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from credit_scoring.decision_log.chain import SHADOWED, Draft, verify
from credit_scoring.decision_log.commands import main
from credit_scoring.decision_log.log import AGREED, OVERRIDDEN, REVIEWED, DecisionLog
from credit_scoring.decision_log.outcomes import (
    compare_challengers,
    expect_outcomes,
    export_training,
    measure_outcomes,
    read_decisions,
    record_outcomes,
)
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.watching import count_reasons, measure_weeks, watch
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.schemas.raw import RAW_TABLES
from tests.decision_log.conftest import append, decision
from tests.decision_log.postgres import why_not

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/decisions.db"


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(["id,outcome,date", *lines]))
    return file


@pytest.fixture
def learnt(log: DecisionLog, tmp_path: Path) -> list[str]:
    """Return six decisions of two months: 0 granted, repaid; 1 granted, defaulted; 2 refused, overridden, defaulted;
    3 review, granted by a person, repaid; 4 refused, repaid; 5 review that waits, defaulted."""
    given = [
        ("granted", 0.04),
        ("granted", 0.08),
        ("refused", 0.3),
        ("review", 0.05),
        ("refused", 0.2),
        ("review", 0.5),
    ]
    ids = append(
        log,
        *(
            decision(number, decided, p, time=f"2026-{10 + number // 3}-05T10:00:00.000000Z")
            for number, (decided, p) in enumerate(given)
        ),
    )
    log.append(ids[0], AGREED, actor="Ann")
    log.append(ids[2], OVERRIDDEN, actor="Ann", decision="granted", content={"reason": "x"})
    log.append(ids[3], REVIEWED, actor="Ann", decision="granted", content={"reason": "x"})
    happened = ["repaid", "defaulted", "defaulted", "repaid", "repaid", "defaulted"]
    lines = [f"{one},{what},2027-01-31" for one, what in zip(ids, happened, strict=True)]
    assert record_outcomes(log, write(tmp_path / "outcomes.csv", *lines), "Bob") == 6
    return ids


def test_outcomes_are_recorded_once_and_corrected_by_a_later_one(
    log: DecisionLog, learnt: list[str], tmp_path: Path
) -> None:
    assert record_outcomes(log, tmp_path / "outcomes.csv", "Bob") == 0
    corrected = write(tmp_path / "corrected.csv", f"{learnt[1]},repaid,2027-02-28")
    assert record_outcomes(log, corrected, "Bob") == 1
    assert read_decisions(log)["outcome"].tolist() == [0, 0, 1, 0, 0, 1]
    assert not verify(log.engine).problem


def test_a_file_with_a_wrong_line_records_nothing(log: DecisionLog, learnt: list[str], tmp_path: Path) -> None:
    lines = (f"{learnt[0]},defaulted,2027-01-31", "nobody,repaid,2027-01-31", f"{learnt[1]},gone,yesterday")
    expected = "line 3: no decision has the id 'nobody'", "line 4: expected repaid or", "line 4: expected a date"
    with pytest.raises(LogError, match="nothing was recorded") as error:
        record_outcomes(log, write(tmp_path / "wrong.csv", *lines), "Bob")
    assert all(one in str(error.value) for one in expected)
    assert read_decisions(log)["outcome"].tolist() == [0, 1, 1, 0, 0, 1]


def test_a_decision_has_one_outcome_in_a_file(log: DecisionLog, tmp_path: Path) -> None:
    one, other = append(log, decision(1), decision(2))
    lines = [f"{one},repaid,2027-01-31", f"{other},repaid,2027-01-31", f"{one},defaulted,2027-01-31"]
    with pytest.raises(LogError, match=f"lines 2 and 4: decision '{one}' has two outcomes"):
        record_outcomes(log, write(tmp_path / "two.csv", *lines), "Bob")
    assert record_outcomes(log, write(tmp_path / "twice.csv", *lines[:2], lines[0]), "Bob") == 2
    file = tmp_path / "latin.csv"
    file.write_bytes("id,outcome,date,note\nx,repaid,2027-01-31,payé\n".encode("latin-1"))
    with pytest.raises(LogError, match=r"is no CSV file in UTF-8[^$]*Hint"):
        record_outcomes(log, file, "Bob")


def test_decisions_without_a_probability_leave_the_others_as_they_are(
    log: DecisionLog, learnt: list[str], tmp_path: Path
) -> None:
    (one,) = append(log, decision(9, "review", None, time="2026-10-05T10:00:00.000000Z"))
    before = read_decisions(log)[lambda table: table["id"] != one]
    log.append(one, REVIEWED, actor="Ann", decision="granted", content={"reason": "x"})
    record_outcomes(log, write(tmp_path / "more.csv", f"{one},repaid,2027-01-31"), "Bob")
    both = read_decisions(log)
    pd.testing.assert_frame_equal(expect_outcomes(both, COSTS), expect_outcomes(before, COSTS))
    then, now = (measure_outcomes(table, COSTS).set_index("month").loc["2026-10"] for table in (before, both))
    assert (now["n"], now["bad_rate"]) == (4, 0.5)
    measured = ["auc", "auc_low", "observed_to_expected", "observed_to_expected_high"]
    assert now[measured].tolist() == then[measured].tolist()
    alone = measure_outcomes(both[both["id"] == one], COSTS).iloc[-1]
    assert (alone["n"], alone["cost"], alone["auc"], alone["observed_to_expected"]) == (
        1, 0, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True)
    )  # fmt: skip
    assert measure_weeks(both)["n"].sum() == 7


def test_realised_cost_and_rates(log: DecisionLog, learnt: list[str]) -> None:
    table = measure_outcomes(read_decisions(log), COSTS).set_index("month")
    assert table.index.tolist() == ["2026-10", "2026-11", "all"]
    # October: all three granted in the end, two defaulted. November: one granted and repaid, one refused who repaid
    assert table[["n", "approved"]].to_numpy().tolist() == [[3, 3], [2, 1], [5, 4]]
    assert table["bad_rate"].tolist() == pytest.approx([2 / 3, 0, 0.5])
    assert table["cost"].tolist() == pytest.approx([20 / 3, 0.5, 21 / 5])
    assert table.loc["all", "auc"] == pytest.approx(5 / 6)  # of 0.08 and 0.3 against 0.04, 0.05, 0.2, one pair is wrong
    assert table.loc["2026-10", "observed_to_expected"] == pytest.approx((2 / 3) / (0.42 / 3))
    assert (table["cost_low"] <= table["cost"]).all()
    assert (table["cost"] <= table["cost_high"]).all()


def test_expected_cost_and_bad_rate(log: DecisionLog, learnt: list[str]) -> None:
    table = expect_outcomes(read_decisions(log), COSTS).set_index("month")
    assert table.loc["2026-10", "bad_rate"] == pytest.approx((0.04 + 0.08 + 0.3) / 3)
    half = 1.959963984540054 * np.sqrt(0.04 * 0.96 + 0.08 * 0.92 + 0.3 * 0.7) / 3
    assert table.loc["2026-10", "bad_rate_high"] == pytest.approx(0.14 + half)
    assert table.loc["2026-11", "cost"] == pytest.approx((0.05 * 10 + 0.8 * 1) / 2)


@pytest.mark.parametrize(("odds", "covered"), [(1.0, (0.9, 1.0)), (2.0, (0.0, 0.3))])
def test_expectations_hold_for_other_applicants_and_fail_for_other_odds(
    odds: float, covered: tuple[float, float]
) -> None:
    rng, within = np.random.default_rng(0), []
    for draw in range(200):
        p = rng.beta(1 + draw % 3, 11, 1500)  # riskier and less risky applicants
        stated = pd.DataFrame({"probability": p, "final": np.where(p < 1 / 11, "granted", "refused"), "model": "m"})
        row = expect_outcomes(stated.assign(time=pd.Timestamp("2026-11-02", tz="UTC")), COSTS).iloc[-1]
        defaulted = rng.random(1500) < odds * p / (1 - p + odds * p)
        bad_rate = defaulted[stated["final"] == "granted"].mean()
        within.append(row["bad_rate_low"] <= bad_rate <= row["bad_rate_high"])
    assert covered[0] <= np.mean(within) <= covered[1]


def test_weeks_tell_reviews_overrides_and_drift(log: DecisionLog) -> None:
    rng = np.random.default_rng(0)
    start = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
    drafts = []
    for week, shape in enumerate((11, 11, 4)):
        for number in range(300):
            when = (start + timedelta(weeks=week, minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            probability = float(rng.beta(1, shape))
            decided = "review" if number < 30 else "granted" if probability < 0.1 else "refused"
            drafts.append(decision(number, decided, probability, time=when))
    ids = append(log, *drafts)
    declined = [one for one, draft in zip(ids, drafts, strict=True) if draft.values["decision"] == "refused"][:4]
    log.append(declined[0], OVERRIDDEN, actor="Ann", decision="granted", content={"reason": "x"})
    for one in declined[1:]:
        log.append(one, AGREED, actor="Ann")
    table = measure_weeks(read_decisions(log))
    assert table["week"].tolist() == ["2026-11-02", "2026-11-09", "2026-11-16"]
    assert table["review_rate"].tolist() == [0.1, 0.1, 0.1]
    assert table["override_rate"].tolist()[0] == 0.25
    assert table["psi"].isna().tolist() == [True, False, False]
    assert table["psi"].iloc[1] < 0.1 < 0.25 < table["psi"].iloc[2]
    assert table["psi_p"].iloc[2] < 1e-6 < 0.001 < table["psi_p"].iloc[1]


def test_reasons_are_counted_by_what_they_say_without_their_numbers(log: DecisionLog) -> None:
    drafts = [decision(number) for number in range(4)]
    texts = ("You paid 12 % late.", "You paid 3.5 % late.", "You have 2 credits elsewhere.", "")
    for draft, text in zip(drafts, texts, strict=True):
        reasons = [{"effect": "for", "text": "You own a house."}, {"effect": "against", "text": text}]
        draft.content["answer"] = {"reasons": reasons if text else []}
    append(log, *drafts)
    table = count_reasons(log)
    assert dict(zip(table["reason"], table["share"], strict=True)) == pytest.approx(
        {"You paid … % late.": 2 / 3, "You have … credits elsewhere.": 1 / 3}
    )


def test_a_challenger_is_compared_on_the_same_applicants(log: DecisionLog, learnt: list[str]) -> None:
    said = {"model_digest": "cd" * 32}
    judged = [("granted", 0.01), ("refused", 0.4), ("refused", 0.5)]
    append(
        log,
        *(
            Draft({"kind": SHADOWED, "decision_id": one, "decision": decided, "probability": p, **said})
            for one, (decided, p) in zip(learnt, judged, strict=False)
        ),
    )
    (row,) = compare_challengers(log, read_decisions(log), COSTS).to_dict("records")
    assert (row["n"], row["n_known"], row["agreement"]) == (3, 3, pytest.approx(2 / 3))
    assert row["gap"] == pytest.approx((0.91 - 0.42) / 3)
    assert (row["cost_champion"], row["cost_challenger"]) == pytest.approx((10 / 3, 0))
    assert (row["auc_champion"], row["auc_challenger"]) == (1, 1)


def test_the_last_weeks_are_told_as_json(log: DecisionLog) -> None:
    assert watch(log, 2, COSTS) == {"weeks": [], "reasons": [], "challengers": []}
    monday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())
    before, first, last = (
        decision(number, "refused", 0.2, time=(monday + shift).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        for number, shift in enumerate((-timedelta(weeks=1, seconds=1), -timedelta(weeks=1), timedelta()))
    )
    last.content["answer"] = {"reasons": [{"effect": "against", "text": "You paid 12 % late."}]}
    ids = append(log, before, first, last)
    said = {"kind": SHADOWED, "decision_id": ids[2], "decision": "granted", "probability": 0.1}
    append(log, Draft(said | {"model_digest": "cd" * 32}))
    told = json.loads(json.dumps(watch(log, 2, COSTS), allow_nan=False))
    assert [(week["n"], week["mean_probability"], week["psi"]) for week in told["weeks"]] == [
        (1, 0.2, None),
        (1, 0.2, None),
    ]
    assert [(row["reason"], row["share"]) for row in told["reasons"]] == [("You paid … % late.", 1)]
    (pair,) = told["challengers"]
    assert (pair["n"], pair["agreement"], pair["auc_champion"]) == (1, 0, None)
    assert [week["n"] for week in watch(log, 1, COSTS)["weeks"]] == [1]


def test_decisions_are_written_as_raw_files_and_those_of_people_are_flagged(
    log: DecisionLog, learnt: list[str], tmp_path: Path
) -> None:
    log.erase(applicant="0", why="asked by the customer", actor="Ann")
    (desk,) = append(log, decision(6, "refused", channel="desk"))
    log.append(desk, OVERRIDDEN, actor="Ann", decision="granted", content={"reason": "x"})
    record_outcomes(log, write(tmp_path / "desk.csv", f"{desk},repaid,2027-01-31"), "Bob")
    assert export_training(log, tmp_path / "train") == 6
    flags = pd.read_csv(tmp_path / "train/decisions.csv").set_index("SK_ID_CURR")
    assert flags.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert flags.index[flags["overridden"]].tolist() == [2, 6]
    assert flags.index[flags["reviewed"]].tolist() == [3]
    train = pd.read_csv(tmp_path / "train/application_train.csv")
    assert train["TARGET"].tolist() == [1, 1, 0, 0, 1, 0]
    assert train.columns.tolist() == list(RAW_TABLES["application_train"].columns)


def test_the_command_line_does_it_all(
    log: DecisionLog, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DECISION_LOG_URL", url)
    one, other = append(log, decision(1, "refused", 0.3), decision(2, "review"))

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert run("find", "--waiting").startswith(other)
    assert "what holds is granted" in run("override", one, "--decision", "granted", "--reason", "x", "--by", "Ann")
    assert "what holds is refused" in run("review", other, "--decision", "refused", "--reason", "x", "--by", "Ann")
    assert "observations" in run(
        "request-examination", one, "--observations", "y", "--by", "C", "--role", "customer"
    ) + (run("show", one))
    run("close-examination", one, "--decision", "granted", "--reason", "z", "--by", "Ann")
    run("letter", one, "--letter", "approval", "--medium", "post", "--by", "Ann")
    run("agree", one, "--by", "Ann", "--expected", log.read(one).version)
    outcomes = write(tmp_path / "outcomes.csv", f"{one},repaid,2027-01-31")
    assert run("outcomes", str(outcomes), "--by", "Bob") == "1 outcomes were recorded.\n"
    assert re.search(r"all +all +1 +1 +0\.0000", run("report"))
    anchors = tmp_path / "anchors.txt"
    anchors.write_text(run("anchors"))
    assert "are in order" in run("verify", "--anchors", str(anchors))
    assert (
        run("erase", "--applicant", "1", "--why", "asked", "--by", "Ann")
        == "Personal data of 1 decisions were erased.\n"
    )
    assert run("retain", "--days", "1") == "Personal data of 0 decisions were erased.\n"
    anchors.write_text("2026-11-01 1 ffff\n")
    assert main(["verify", "--anchors", str(anchors)]) == 1
    assert main(["agree", one]) == 2
    assert main(["show", "nobody"]) == 1
    assert "Hint:" in capsys.readouterr().err


def test_what_the_command_line_cannot_do_is_one_sentence_with_a_hint(
    log: DecisionLog, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DECISION_LOG_URL", url)
    append(log, decision(1, "review", None))
    assert main(["find"]) == 0
    assert " review - decisions 1 waiting" in capsys.readouterr().out
    other = tmp_path / "other.txt"
    other.write_bytes("id,outcome\n1,payé".encode("latin-1"))
    for arguments in (
        ["find", "--limit", "0"], ["find", "--after", "x"], ["find", "--since", "today"], ["report", "--since", ""],
        ["verify", "--anchors", str(other)], ["outcomes", str(other), "--by", "Bob"],
        ["erase", "--before", "today", "--why", "x", "--by", "Ann"],
    ):  # fmt: skip
        assert main(arguments) == 1, arguments
        assert re.fullmatch(r"[^\n]+\nHint: [^\n]+\n", capsys.readouterr().err), arguments
    with log.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE personal")
        connection.commit()
    assert main(["find", "--applicant", "4711"]) == 1
    told = capsys.readouterr().err
    assert re.fullmatch(r"[^\n]+no such table: personal.\nHint: [^\n]+\n", told)
    assert "4711" not in told


def test_a_missing_log_is_not_made_by_looking_at_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"There is no decision log[^$]*Hint"):
        DecisionLog(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    if not why_not():
        with pytest.raises(LogError, match="cannot be reached"):
            DecisionLog("postgresql://nobody:secret@127.0.0.1:1/none")
