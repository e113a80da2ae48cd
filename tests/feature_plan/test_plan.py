"""What a plan holds, how it is refused, and in how few calls it is evaluated."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import ibis
import pytest

from credit_scoring.feature_plan import FeaturePlan, Plan, PlanError
from credit_scoring.feature_plan.operations import AGGREGATES, OPERATIONS
from credit_scoring.feature_plan.schedule import dependencies, schedule
from credit_scoring.features import bureau
from credit_scoring.features.plan import compile_plan, compile_table
from credit_scoring.features.plan_compiler import Compiler
from credit_scoring.schemas.raw import contract_of
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(
        ["BUREAU_CREDIT_SUM", "BUREAU_CREDIT_MEAN", "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE", "CODE_GENDER"]
    )


def test_a_plan_reads_no_more_than_its_features_need(plan: Plan) -> None:
    tables = {frame.name: frame.of for frame in plan.frames if frame.kind == "table"}
    raw = {(tables[step.frame], step.operands[0]) for step in plan.steps if step.operation == "raw"}
    # One column of each table tells which rows cleaning keeps
    assert raw == {
        ("application", "SK_ID_CURR"),
        ("application", "AMT_INCOME_TOTAL"),
        ("application", "CODE_GENDER"),
        ("bureau", "SK_ID_CURR"),
        ("bureau", "DAYS_CREDIT"),
        ("bureau", "AMT_CREDIT_SUM"),
        ("bureau", "AMT_CREDIT_SUM_DEBT"),
        ("bureau", "CREDIT_ACTIVE"),
        ("bureau_balance", "MONTHS_BALANCE"),
        ("previous_application", "DAYS_DECISION"),
        ("pos_cash_balance", "MONTHS_BALANCE"),
        ("installments_payments", "DAYS_INSTALMENT"),
        ("credit_card_balance", "MONTHS_BALANCE"),
    }
    assert list(plan.outputs) == [
        "BUREAU_CREDIT_SUM", "BUREAU_CREDIT_MEAN", "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE", "CODE_GENDER",
    ]  # fmt: skip
    assert plan.texts == ["CODE_GENDER"]


def test_equal_operations_are_one_step_and_known_ones(plan: Plan) -> None:
    said = Counter(
        (step.frame, step.operation, step.operands, step.source, step.by, step.order, step.where) for step in plan.steps
    )
    assert set(said.values()) == {1}
    assert {step.operation for step in compile_plan().steps} <= OPERATIONS


def test_a_plan_is_read_as_it_was_written(plan: Plan) -> None:
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    steps = [line for line in text.splitlines() if line.startswith('  {"in"')]
    assert len(steps) == len(plan.steps)


def test_a_plan_of_another_version_or_with_an_unknown_operation_is_refused(plan: Plan) -> None:
    told = json.loads(plan.to_json())
    with pytest.raises(PlanError, match="is of version 99, this code reads version 1"):
        Plan.from_json(json.dumps(told | {"version": 99}))
    told["steps"][-1]["do"] = "guess"
    with pytest.raises(PlanError, match="asks for guess"):
        FeaturePlan(Plan.from_json(json.dumps(told)))


def test_every_step_comes_after_what_it_needs_and_once(plan: Plan) -> None:
    batches = schedule(plan).batches
    done: set[object] = set()
    for batch in batches:
        for task in batch.steps or (batch.frame,):
            assert dependencies(plan)[task] <= done
        done |= set(batch.steps or (batch.frame,))
    assert len(done) == len(plan.steps) + len(plan.frames)
    assert len(batches) < len(done)


def test_all_aggregates_of_the_same_rows_are_one_batch(plan: Plan) -> None:
    of_credits = [batch for batch in schedule(plan).batches if batch.steps and batch.steps[0].operation in AGGREGATES]
    # Credits and active ones, their sums and a mean
    assert [(batch.frame.of, len(batch.steps)) for batch in of_credits] == [("bureau/1", 5)]


def test_features_that_no_expression_gives_are_refused() -> None:
    with pytest.raises(PlanError, match="No expression gives BUREAU_ROW_RISK_MEAN, NO_SUCH: a plan holds"):
        compile_plan(["BUREAU_ROW_RISK_MEAN", "AMT_CREDIT", "NO_SUCH"])


def test_an_operation_that_a_plan_has_no_word_for_is_refused_with_feature_formula_and_table() -> None:
    """A source that computes one of its columns in another way, three steps behind the feature."""
    raw = {name: ibis.table(contract_of(name).columns, name=name) for name in ("bureau", "bureau_balance")}
    odd = raw["bureau"].mutate(AMT_CREDIT_SUM=raw["bureau"].AMT_CREDIT_SUM.sin())
    features = bureau.compute_bureau_features(odd, raw["bureau_balance"])
    with pytest.raises(PlanError) as error:
        Compiler({}).name_column(features.op(), "BUREAU_CREDIT_MEAN")
    assert str(error.value).startswith(
        "Sin has no operation in a feature plan: in AMT_CREDIT_SUM of CREDIT of BUREAU_CREDIT_MEAN, "
        "`mean(CREDIT) over credits`, on bureau.\nHint: "
    )


def test_a_plan_that_leaves_out_applicants_is_refused() -> None:
    application = ibis.table(contract_of("application").columns, name="application")
    with pytest.raises(PlanError, match="Applicants are left out"):
        compile_table(application.filter(application.CNT_CHILDREN > 0), {}, ["AMT_CREDIT"])


def test_the_examples_of_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", (ROOT / "docs/feature_plan.md").read_text(), re.DOTALL):
        exec(example, names)
    form = json.loads((ROOT / "examples/applicant.json").read_text())["application"]
    assert names["features"].applicants.tolist() == [form["SK_ID_CURR"]]
    assert names["features"].numbers[0, 0] == form["EXT_SOURCE_2"]
