"""Raw tables of a request: what reading a raw file does to its rows, and what is refused."""

import csv
from pathlib import Path
from typing import Any

import ibis
import pytest

from credit_scoring.datasets.raw_csv import RawCsvDataset
from credit_scoring.feature_plan import FeaturePlan, InputError, Plan
from credit_scoring.features.plan import compile_plan, describe_table
from credit_scoring.schemas.raw import contract_of
from tests.conftest import CONNECTION

WANTED = (
    "AMT_INCOME_TOTAL", "AMT_CREDIT", "NAME_TYPE_SUITE", "ORGANIZATION_TYPE", "OWN_CAR_AGE", "DAYS_EMPLOYED",
    "BUREAU_CREDITS_COUNT", "BUREAU_CREDIT_SUM", "BUREAU_BALANCE_LATE_COUNT", "PREVIOUS_CHANNEL_TYPE_LAST",
    "INSTALLMENTS_PAYMENT_SUM", "HAS_BUREAU",
)  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> FeaturePlan:
    return FeaturePlan(Plan.from_json(compile_plan(WANTED).to_json()))


def row(table: str, **values: Any) -> dict[str, Any]:
    """Return a row without null where none may stand."""
    whole = {name: 0 for name, kind in contract_of(table).columns.items() if kind == "int32" and name != "TARGET"}
    return whole | values


APPLICATION = row("application", SK_ID_CURR=7, AMT_CREDIT=1_000.0, NAME_TYPE_SUITE="Family")


def request(**tables: list[dict[str, Any]]) -> dict[str, Any]:
    return {"application": APPLICATION} | tables


def value(plan: FeaturePlan, name: str, **tables: list[dict[str, Any]]) -> float:
    features = plan.evaluate([request(**tables)])
    return float(features.numbers[0, features.names.index(name)])


def problems(plan: FeaturePlan, *applicants: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(InputError) as error:
        plan.evaluate(applicants)
    return tuple(map(str, error.value.problems))


def test_an_application_alone_is_an_applicant_without_histories(plan: FeaturePlan) -> None:
    features = plan.evaluate([request()])
    found = dict(zip(features.names, features.numbers[0], strict=True))
    assert found["HAS_BUREAU"] == 0
    assert found["BUREAU_CREDITS_COUNT"] != found["BUREAU_CREDITS_COUNT"]
    assert features.texts == {
        "NAME_TYPE_SUITE": ["Family"],
        "ORGANIZATION_TYPE": [None],
        "PREVIOUS_CHANNEL_TYPE_LAST": [None],
    }
    assert features.applicants.tolist() == [7]


def test_rows_that_cleaning_leaves_out_are_counted(plan: FeaturePlan) -> None:
    credits = [row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=i, DAYS_CREDIT=days) for i, days in enumerate((-5, 0, 1, 30))]
    features = plan.evaluate([request(), request(bureau=[*credits, credits[0]]), request(bureau=credits[:3])])
    assert {table: counts.tolist() for table, counts in features.dropped.items()} == {
        "application": [0, 0, 0], "bureau": [0, 3, 1], "bureau_balance": [0, 0, 0], "previous_application": [0, 0, 0],
        "pos_cash_balance": [0, 0, 0], "installments_payments": [0, 0, 0], "credit_card_balance": [0, 0, 0],
    }  # fmt: skip
    assert features.numbers[1:, features.names.index("BUREAU_CREDITS_COUNT")].tolist() == [2, 2]


def test_exact_copies_under_a_key_count_once_and_payments_have_no_key(plan: FeaturePlan) -> None:
    credit = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1, DAYS_CREDIT=-5, AMT_CREDIT_SUM=100.0)
    assert value(plan, "BUREAU_CREDIT_SUM", bureau=[credit, dict(credit)]) == 100
    payment = row("installments_payments", SK_ID_CURR=7, SK_ID_PREV=1, DAYS_INSTALMENT=-3.0, AMT_PAYMENT=10.0)
    assert value(plan, "INSTALLMENTS_PAYMENT_SUM", installments_payments=[payment, dict(payment)]) == 20


def test_what_is_not_a_number_is_null_and_a_whole_number_may_be_written_with_a_point(plan: FeaturePlan) -> None:
    credits = [
        row("bureau", SK_ID_CURR=7.0, SK_ID_BUREAU=i, DAYS_CREDIT=-5, AMT_CREDIT_SUM=amount)
        for i, amount in enumerate((1.0, float("inf"), float("nan"), None))
    ]
    assert value(plan, "BUREAU_CREDIT_SUM", bureau=credits) == 1


def test_every_problem_of_every_table_is_told_without_its_value(plan: FeaturePlan) -> None:
    credit = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1)
    assert problems(
        plan,
        {
            "application": APPLICATION | {"AMT_CREDIT": "much", "NAME_TYPE_SUITE": 5, "CNT_CHILDREN": True},
            "bureau": [credit, credit | {"SK_ID_BUREAU": 2, "DAYS_CREDIT": 1.5}, credit | {"SK_ID_BUREAU": 2.0**40}],
            "previous_application": [row("previous_application", SK_ID_CURR=7, SK_ID_PREV=None)],
            "bureau_balance": [row("bureau_balance", COLOUR="red")],
            "credit_card_balance": "none",
            "income": [],
        },
    ) == (
        "applicant 0: expected known_table",
        "applicant 0, application, CNT_CHILDREN: expected number",
        "applicant 0, application, AMT_CREDIT: expected number",
        "applicant 0, application, NAME_TYPE_SUITE: expected text",
        "applicant 0, bureau, row 1, DAYS_CREDIT: expected whole_number",
        "applicant 0, bureau, row 2, SK_ID_BUREAU: expected whole_number",
        "applicant 0, bureau_balance, row 0: expected known_column",
        "applicant 0, previous_application, row 0, SK_ID_PREV: expected whole_number",
        "applicant 0, credit_card_balance: expected rows",
    )
    assert problems(plan, request(bureau="", credit_card_balance=b"")) == (
        "applicant 0, bureau: expected rows",
        "applicant 0, credit_card_balance: expected rows",
    )
    assert problems(plan, {"bureau": []}) == ("applicant 0, application: expected object",)
    assert problems(plan, request(), {"application": []}) == ("applicant 1, application: expected object",)
    assert problems(plan) == ("applicant 0: expected applicant",)
    huge = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1, AMT_CREDIT_SUM=10**400)
    assert problems(plan, request(bureau=[huge])) == (
        "applicant 0, bureau, row 0, AMT_CREDIT_SUM: expected smaller_number",
    )


def test_of_a_name_that_nobody_knows_the_nearest_is_told_and_never_itself(plan: FeaturePlan) -> None:
    credit = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1)
    assert problems(plan, request(bureau=[credit, credit | {"amt_credit_summ": 1}], Bureau_Balances=[])) == (
        "applicant 0: expected known_table (bureau_balance)",
        "applicant 0, bureau, row 1: expected known_column (AMT_CREDIT_SUM)",
    )
    many = problems(plan, request(bureau=[credit | {f"AMT_CREDIT_SUM{'_' * i}": 1 for i in range(1, 10)}]))
    assert [one.endswith("(AMT_CREDIT_SUM)") for one in many] == [True] * 5 + [False] * 4


def test_a_table_of_more_rows_than_are_asked_for_is_refused(plan: FeaturePlan) -> None:
    credits = [row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=i) for i in range(3)]
    with pytest.raises(InputError, match=r"applicant 1, bureau: expected fewer_rows \(2\)"):
        plan.evaluate([request(), request(bureau=credits)], most_rows=2)
    assert plan.evaluate([request(bureau=credits)], most_rows=3).applicants.tolist() == [7]


def test_values_that_the_contract_calls_implausible_are_found_where_features_read_them(plan: FeaturePlan) -> None:
    features = plan.evaluate(
        [
            request(),
            {
                "application": APPLICATION
                | {"AMT_CREDIT": -1e9, "NAME_TYPE_SUITE": "Nobody", "DAYS_EMPLOYED": 365243, "FLAG_MOBIL": 7},
                "bureau": [
                    row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=i, DAYS_CREDIT=days) for i, days in ((1, 0), (2, 1))
                ],
            },
        ]
    )
    # FLAG_MOBIL is read by no wanted feature, and 365243 stands for no employment
    found = [one for one in features.implausible if one.applicant == 1]
    assert [(one.table, one.row, one.column) for one in found] == [
        ("application", None, "AMT_CREDIT"),
        ("application", None, "NAME_TYPE_SUITE"),
        ("bureau", 1, "DAYS_CREDIT"),
    ]
    assert {one.column for one in features.implausible if one.applicant == 0} <= {"AMT_CREDIT", "AMT_INCOME_TOTAL"}


def test_a_key_of_two_different_rows_and_rows_of_others_are_problems(plan: FeaturePlan) -> None:
    credit = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1)
    contradiction = problems(plan, request(bureau=[credit, credit | {"DAYS_CREDIT": -1}]))
    assert contradiction == ("applicant 0, bureau, row 1, SK_ID_BUREAU: expected own_key",)
    strangers = problems(
        plan,
        request(
            bureau=[credit | {"SK_ID_CURR": 8}],
            bureau_balance=[row("bureau_balance", SK_ID_BUREAU=2)],
            # A loan without a row in previous_application is usual
            pos_cash_balance=[row("POS_CASH_balance", SK_ID_CURR=7, SK_ID_PREV=3, MONTHS_BALANCE=-1)],
        ),
    )
    assert strangers == (
        "applicant 0, bureau, row 0, SK_ID_CURR: expected parent (application)",
        "applicant 0, bureau_balance, row 0, SK_ID_BUREAU: expected parent (bureau)",
    )


def test_no_more_than_twenty_problems_are_told_and_all_are_counted(plan: FeaturePlan) -> None:
    credits = [row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=i, DAYS_CREDIT=0.5) for i in range(30)]
    with pytest.raises(InputError, match="30 problems in the raw tables:") as error:
        plan.evaluate([request(bureau=credits)])
    assert len(error.value.problems) == 20


def test_texts_of_no_contract_keep_their_spelling_and_their_order(plan: FeaturePlan) -> None:
    """The latest text is a maximum: one of a single row, and of two rows where nothing tells which is later."""
    for texts in (("Zzz",), ("AP", "AZ"), ("é", "Zzz"), ("a\N{PILE OF POO}", "a￿")):
        applications = [
            row("previous_application", SK_ID_CURR=7, SK_ID_PREV=i, DAYS_DECISION=-i, CHANNEL_TYPE=text)
            for i, text in enumerate(texts)
        ]
        features = plan.evaluate([request(previous_application=applications)])
        assert features.texts["PREVIOUS_CHANNEL_TYPE_LAST"] == [texts[0]]


def test_applicants_keep_their_order_and_never_meet_even_under_the_same_keys(plan: FeaturePlan) -> None:
    """Such as an applicant and a simulation of the same one: the same ids, other amounts."""
    late = [row("bureau_balance", SK_ID_BUREAU=1, MONTHS_BALANCE=-i, STATUS="1") for i in range(3)]
    credit = row("bureau", SK_ID_CURR=7, SK_ID_BUREAU=1, DAYS_CREDIT=-5, AMT_CREDIT_SUM=100.0)
    features = plan.evaluate(
        [
            request(bureau=[credit], bureau_balance=late),
            {"application": APPLICATION | {"SK_ID_CURR": 3}},
            request(bureau=[credit | {"AMT_CREDIT_SUM": 300.0}], bureau_balance=late[:1]),
        ]
    )
    assert features.applicants.tolist() == [7, 3, 7]
    at = [features.names.index(name) for name in ("BUREAU_CREDIT_SUM", "BUREAU_BALANCE_LATE_COUNT", "HAS_BUREAU")]
    assert features.numbers[:, at[2]].tolist() == [1, 0, 1]
    assert features.numbers[::2, at[:2]].tolist() == [[100, 3], [300, 1]]
    others = request(bureau=[credit | {"SK_ID_CURR": 3}])
    assert problems(plan, {"application": APPLICATION | {"SK_ID_CURR": 3}}, others) == (
        "applicant 1, bureau, row 0, SK_ID_CURR: expected parent (application)",
    )


def test_texts_are_encoded_as_a_scorer_has_them(plan: FeaturePlan) -> None:
    features = plan.evaluate([request()])
    codes = {name: {None: 9.0} for name in features.texts} | {"NAME_TYPE_SUITE": {"Children": 0.0, "Family": 1.0}}
    encoded = features.encode(codes)
    at = {name: i for i, name in enumerate(features.names)}
    assert encoded[0, at["NAME_TYPE_SUITE"]] == 1
    assert encoded[0, at["ORGANIZATION_TYPE"]] == 9
    assert encoded[0, at["AMT_CREDIT"]] == 1_000


def test_a_raw_file_and_a_request_are_read_alike(plan: FeaturePlan, tmp_path: Path) -> None:
    """The same cells: empty ones, copies, whole numbers with a point, infinities, marks of what is missing."""
    cells = [
        {"SK_ID_CURR": "7", "SK_ID_BUREAU": "1", "DAYS_CREDIT": "-5", "AMT_CREDIT_SUM": "inf", "CREDIT_TYPE": ""},
        {"SK_ID_CURR": "7", "SK_ID_BUREAU": "2", "DAYS_CREDIT": "-9.0", "AMT_CREDIT_SUM": "2.5", "CREDIT_TYPE": "XNA"},
        {"SK_ID_CURR": "7", "SK_ID_BUREAU": "2", "DAYS_CREDIT": "-9.0", "AMT_CREDIT_SUM": "2.5", "CREDIT_TYPE": "XNA"},
        {"SK_ID_CURR": "7", "SK_ID_BUREAU": "3", "DAYS_CREDIT": "-1", "AMT_CREDIT_SUM": "nan"},
    ]  # fmt: skip
    kinds = contract_of("bureau").columns
    rows = [{name: cell.get(name, "0" if kind == "int32" else "") for name, kind in kinds.items()} for cell in cells]
    path = tmp_path / "bureau.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kinds))
        writer.writeheader()
        writer.writerows(rows)
    read = RawCsvDataset(table="bureau", filepath=str(path), connection=CONNECTION).load()
    assert [finding.severity for finding in read.findings if finding.severity == "error"] == []
    typed = {
        kind: read.table.select(*(name for name, its in kinds.items() if its == kind)).to_pandas()
        for kind in kinds.values()
    }
    spoken = [
        {name: None if cell == "" else cell if kinds[name] == "string" else float(cell) for name, cell in one.items()}
        for one in rows
    ]
    tables = plan._tables.read([request(bureau=spoken)])
    assert tables.n_rows["bureau"] == read.table.count().execute() == 3
    sums = plan.evaluate([request(bureau=spoken)]).numbers[0, list(plan.plan.outputs).index("BUREAU_CREDIT_SUM")]
    assert sums == ibis.memtable(typed["float64"]).AMT_CREDIT_SUM.nullif(float("nan")).sum().execute() == 2.5


def test_a_contract_is_described_as_data() -> None:
    described = describe_table(contract_of("bureau_balance"))
    assert described["key"] == ["SK_ID_BUREAU", "MONTHS_BALANCE"]
    assert described["parents"] == {"SK_ID_BUREAU": "bureau"}
    assert described["columns"]["MONTHS_BALANCE"] == {
        "type": "int32", "nullable": False, "low": -96, "high": 0, "codes": [],
        "description": "The month, from the application: 0 is the latest",
    }  # fmt: skip
    assert "TARGET" not in describe_table(contract_of("application"))["columns"]
