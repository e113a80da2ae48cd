"""The whole project, run as a user runs it: from nothing to a registered model, and with bad input."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.features.catalogue import find_feature
from credit_scoring.models import FAMILIES
from credit_scoring.schemas.raw import OFFICIAL_TABLES
from tests.conftest import Project, copy_project

pytestmark = pytest.mark.e2e

RAW = Path("data/01_raw/synthetic")
FEATURES = Path("data/04_feature/synthetic/applicant_features.parquet")
OUTPUT = Path("data/07_model_output/synthetic")
ROW_MODELS = ("--params", "row_models.candidates=[xgboost]")


def read_json(project: Project, path: str) -> dict:
    return json.loads((project.path / path).read_text())


def fingerprint(folder: Path) -> dict[str, str]:
    """Return a digest of every file that a failed run could have damaged."""
    ours = [path for path in folder.rglob("*") if path.is_file() and not {".viz", ".runs"} & {*path.parts}]
    kept = [path for path in ours if not path.name.startswith(("mlflow.db", "run.log", "data_quality"))]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


@pytest.fixture
def copy_of_demo(demo: Project, tmp_path: Path) -> Project:
    """Return a project that already holds everything the demo made, to be spoilt."""
    return copy_project(demo.path, tmp_path / "project")


def test_demo_makes_what_it_promises(demo: Project) -> None:
    for made in (
        *(f"{RAW}/{name}.csv" for name in OFFICIAL_TABLES),
        "data/04_feature/synthetic/applicant_features.parquet",
        "model/MLmodel",
        "model/conda.yaml",
        "model/requirements.txt",
        "model/model.pkl",
        "reports/figures/comparaison_modeles.png",
        "reports/figures/calibration.png",
        "reports/figures/courbe_cout_vs_seuil.png",
        "reports/figures/shap_global.png",
        "reports/figures/shap_local.png",
        "reports/figures/matrices_confusion.png",
        "reports/figures/gains_et_ks.png",
        "reports/figures/cout_selon_ratio.png",
        "reports/figures/importance_par_famille.png",
        "reports/figures/equite_par_groupe.png",
        "reports/figures/prix_interpretabilite.png",
        "reports/figures/importance_variables.png",
        "reports/figures/dependance_variables.png",
        "reports/rapport_credit_scoring.pdf",
        "reports/grille_de_score.pdf",
        "docs/model_card.md",
        "docs/technical_documentation.md",
        "reports/technical_documentation.pdf",
        "docs/scorecard.md",
        "mlflow.db",
    ):
        assert (demo.path / made).stat().st_size > 100, made
    log = (demo.path / "run.log").read_text()
    assert "Synthetic data: these results say nothing about real customers." in log
    assert "mlflow models serve -m model -p 1234" in log
    assert "WARNING" not in log, log
    assert "it/s" not in log, log  # bars of progress


def test_the_score_is_credible_and_the_decision_pays(demo: Project) -> None:
    leaderboard = pd.read_csv(demo.path / "data/08_reporting/synthetic/leaderboard.csv").set_index("candidate")
    assert leaderboard["business_cost"].is_monotonic_increasing
    assert leaderboard.loc["dummy", "roc_auc"] == 0.5
    for name in ("logistic_regression", "logistic_regression_class_weight", "random_forest", "xgboost", "lightgbm"):
        assert 0.62 < leaderboard.loc[name, "roc_auc"] < 0.82, name
        assert leaderboard.loc[name, "business_cost"] < leaderboard.loc["dummy", "business_cost"], name
    diagnosis = read_json(demo, "data/08_reporting/synthetic/champion_diagnosis.json")
    assert diagnosis["flags"] == []
    assert diagnosis["holdout_interval"]["low"] < diagnosis["holdout"] < diagnosis["holdout_interval"]["high"]
    evaluation = read_json(demo, "data/08_reporting/synthetic/policy_evaluation.json")
    policies = evaluation["policies"]
    assert policies["tuned"]["business_cost"] < policies["half"]["business_cost"]
    assert policies["tuned"]["business_cost"] < policies["approve_all"]["business_cost"]
    assert policies["tuned"]["business_cost"] < policies["decline_all"]["business_cost"]
    policy = read_json(demo, "data/06_models/synthetic/decision_policy.json")
    assert policies["tuned"]["threshold"] == policy["threshold"]
    assert 0.02 < policy["threshold"] < 0.4


def test_features_come_from_all_seven_tables_and_keep_every_applicant(demo: Project) -> None:
    features = pd.read_parquet(demo.path / FEATURES)
    train, test = (pd.read_csv(demo.path / RAW / f"application_{side}.csv") for side in ("train", "test"))
    assert sorted(features["SK_ID_CURR"]) == sorted([*train["SK_ID_CURR"], *test["SK_ID_CURR"]])
    outcome = features.set_index("SK_ID_CURR")["TARGET"]
    assert (outcome.loc[train["SK_ID_CURR"]].to_numpy() == train["TARGET"].to_numpy()).all()
    assert outcome.loc[test["SK_ID_CURR"]].isna().all()
    for source in ("BUREAU", "BUREAU_BALANCE", "PREVIOUS", "POS_CASH", "INSTALLMENTS", "CREDIT_CARD"):
        assert 0 < features[f"HAS_{source}"].mean() < 1
        assert any(name.startswith(f"{source}_") for name in features)
    assert features.shape[1] > 80


def test_nothing_that_is_served_knows_a_protected_attribute_and_fairness_does(demo: Project) -> None:
    """CODE_GENDER, NAME_FAMILY_STATUS and the count of missing fields, which reads both."""
    protected = {"CODE_GENDER", "NAME_FAMILY_STATUS", "APPLICATION_FIELDS_NULL_COUNT"}
    learnt = pd.read_parquet(demo.path / "data/05_model_input/synthetic/permitted_training_rows.parquet")
    for side in ("training", "holdout"):
        rows = pd.read_parquet(demo.path / f"data/05_model_input/synthetic/{side}_rows.parquet")
        assert set(rows.columns) - set(learnt.columns) == protected
    contract = {column["name"] for column in json.loads((demo.path / "model/input_columns.json").read_text())}
    model = mlflow.sklearn.load_model((demo.path / "model").as_posix())
    example = read_json(demo, "model/serving_input_example.json")["dataframe_split"]["columns"]
    described = yaml.safe_load((demo.path / "model/MLmodel").read_text())
    signature = [column["name"] for column in json.loads(described["signature"]["inputs"])]
    reasons = [column.name for column in model.reasons().columns]
    for known in (contract, model.feature_names_in_, example, signature, reasons):
        assert len(known) > 5  # a scorecard reads few
        assert not protected & set(known)
    holdout = pd.read_parquet(demo.path / "data/05_model_input/synthetic/holdout_rows.parquet")
    swapped = holdout.assign(CODE_GENDER=holdout["CODE_GENDER"].map({"F": "M", "M": "F"}), NAME_FAMILY_STATUS="Widow")
    assert model.predict(swapped).equals(model.predict(holdout))

    groups = pd.read_csv(demo.path / "data/08_reporting/synthetic/fairness_by_group.csv")
    approval = groups[groups["measure"] == "approval_rate"].set_index(["attribute", "group"])["concerned"]
    counted = holdout["CODE_GENDER"].fillna("?").value_counts()
    assert approval["CODE_GENDER"].to_dict() == counted.to_dict()
    price = read_json(demo, "data/08_reporting/synthetic/protection_price.json")
    assert set(price["left_out"]) == protected
    results = read_json(demo, "data/06_models/synthetic/candidate_results.json")
    champion = read_json(demo, "data/06_models/synthetic/champion.json")["name"]
    (compared,) = [result["mean"] for result in results if result["name"] == champion]
    for metric in ("business_cost", "roc_auc", "log_loss"):
        assert price["without"][metric] == pytest.approx(compared[metric])
    proxies = pd.read_csv(demo.path / "data/08_reporting/synthetic/protection_proxies.csv")
    assert set(proxies["attribute"]) == {"CODE_GENDER", "NAME_FAMILY_STATUS"}


def test_one_parent_run_with_a_child_per_candidate(demo: Project) -> None:
    client = MlflowClient(f"sqlite:///{demo.path}/mlflow.db")
    experiment = client.get_experiment_by_name("credit_scoring_test")
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    (parent,) = [run for run in parents if run.info.run_name == "demo · synthetic"]
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["source"] == "synthetic"
    assert parent.data.tags["git_commit"]
    assert parent.data.tags["mlflow.note.content"].startswith("# Credit scoring on synthetic data")
    assert {"candidates.lightgbm.params.n_estimators", "costs", "selection"} <= set(parent.data.params)
    evaluation = read_json(demo, "data/08_reporting/synthetic/policy_evaluation.json")
    logged = parent.data.metrics["holdout_cost"]
    assert logged == pytest.approx(evaluation["policies"]["tuned"]["business_cost"])
    figures = {Path(artifact.path).name for artifact in client.list_artifacts(parent.info.run_id, "figures")}
    assert figures == {path.name for path in (demo.path / "reports/figures").iterdir()}
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert {run.data.tags["family"] for run in children if "family" in run.data.tags} == set(FAMILIES)
    levels = {run.data.tags["family"]: run.data.tags["complexity"] for run in children if "family" in run.data.tags}
    assert (levels["dummy"], levels["logistic_regression"]) == ("constant", "equation")
    assert all("ms_per_row" in run.data.metrics for run in children if "family" in run.data.tags)
    searches = {run.info.run_name: run for run in children if run.info.run_name.startswith("search ")}
    assert searches.keys() == {"search logistic_regression", "search xgboost", "search lightgbm"}
    search = searches["search lightgbm"]
    trials = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert {run.info.run_name for run in trials} == {"lightgbm trial 00", "lightgbm trial 01"}
    assert {run.info.status for run in runs} == {"FINISHED"}
    version = client.get_model_version_by_alias("credit_scoring_model_test", "champion")
    assert version.run_id == parent.info.run_id
    assert version.tags["source"] == "synthetic"
    assert version.tags["holdout_opening"] == "1"


def test_the_same_model_again_is_no_comparison_and_changes_nothing_that_is_served(copy_of_demo: Project) -> None:
    served = fingerprint(copy_of_demo.path / "model")
    copy_of_demo.run("--pipelines", "threshold_tuning")
    decision = read_json(copy_of_demo, "data/06_models/synthetic/promotion_decision.json")
    n = len(pd.read_parquet(copy_of_demo.path / "data/05_model_input/synthetic/training_rows.parquet"))
    assert n == pytest.approx(1600, abs=1)  # four fifths of each outcome
    assert decision["reason"] == f"all {n} out-of-fold decisions cost the same as those of version 1"
    assert (decision["promoted"], decision["comparison"]) == (False, None)
    assert fingerprint(copy_of_demo.path / "model") == served


def test_a_champion_of_one_run_is_not_released_with_the_predictions_of_another(copy_of_demo: Project) -> None:
    other = ("--params", "champion.max_complexity=equation")
    copy_of_demo.run(
        "--pipelines", "modelling", "--from-nodes", "select_champion", "--to-nodes", "calibrate_champion", *other
    )
    before = fingerprint(copy_of_demo.path)
    failed = copy_of_demo.kedro("run", "--env", "test", "--pipelines", "threshold_tuning")
    assert failed.returncode != 0
    said = "champion_model.pkl was made of another data/06_models/synthetic/champion.json"
    assert said in failed.stderr
    assert "Hint: make them anew: kedro run --pipelines modelling --env test." in failed.stderr
    assert fingerprint(copy_of_demo.path) == before


def test_scoring_gives_what_the_exported_model_gives(demo: Project) -> None:
    demo.run("--pipelines", "scoring", "--params", "scoring.reasons=true,scoring.language=en")
    scores = pd.read_parquet(demo.path / OUTPUT / "scores.parquet")
    expected_ids = pd.read_csv(demo.path / RAW / "application_test.csv")["SK_ID_CURR"]
    assert scores["SK_ID_CURR"].tolist() == sorted(expected_ids)
    features = pd.read_parquet(demo.path / FEATURES)
    model = mlflow.sklearn.load_model((demo.path / "model").as_posix())
    waiting = features.set_index("SK_ID_CURR").loc[scores["SK_ID_CURR"]]
    answers = model.predict(waiting, {"explain": True, "language": "en"})
    assert scores["probability_default"].tolist() == answers["probability_default"].tolist()
    assert scores["decision"].tolist() == answers["decision"].tolist()
    for column in ("gaps", "reasons"):
        assert [list(told) for told in scores[column]] == answers[column].tolist()
    counts = pd.read_csv(demo.path / OUTPUT / "decision_counts.csv")
    decided = counts[counts["gap"].isna()].set_index("decision")["applicants"]
    assert decided.to_dict() == scores["decision"].value_counts().to_dict()
    submission = (demo.path / OUTPUT / "kaggle_submission.csv").read_text().split()
    assert submission[0] == "SK_ID_CURR,TARGET"
    assert [float(line.split(",")[1]) for line in submission[1:]] == scores["probability_default"].tolist()


def test_monitoring_finds_the_drift_and_logs_it(demo: Project) -> None:
    demo.run("--pipelines", "monitoring")
    verdict = read_json(demo, "data/08_reporting/synthetic/drift_verdict.json")
    assert verdict["verdict"] != "stable"
    assert "NAME_CONTRACT_TYPE" in {reason["variable"] for reason in verdict["reasons"]}
    scores = pd.read_parquet(demo.path / OUTPUT / "monitored_scores.parquet")
    known = pd.read_parquet(demo.path / OUTPUT / "holdout_predictions.parquet").set_index("SK_ID_CURR")
    holdout = scores[scores["SAMPLE"] == "holdout"]
    assert holdout["probability_default"].tolist() == known.loc[holdout["SK_ID_CURR"], "PROBABILITY"].tolist()
    client = MlflowClient(f"sqlite:///{demo.path}/mlflow.db")
    experiment = client.get_experiment_by_name("credit_scoring_test")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`mlflow.runName` = 'monitoring · synthetic'")
    assert run.data.metrics["score_psi"] == pytest.approx(verdict["score"]["psi"])
    artifacts = {Path(artifact.path).name for artifact in client.list_artifacts(run.info.run_id, "monitoring")}
    assert artifacts == {"drift_report.html", "variable_drift.parquet"}
    page = (demo.path / "data/08_reporting/synthetic/drift_report.html").read_text()
    assert "Données synthétiques : ce rapport ne dit rien de clients réels." in page
    assert "Décisions enregistrées" not in page
    assert read_json(demo, "data/08_reporting/synthetic/recorded_decisions.json") == {}


def test_a_batch_from_elsewhere_gets_the_features_and_scores_of_training(
    copy_of_demo: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients of the hold-out come back as new applicants, without outcomes: nothing of them may come out different.

    Their decisions are recorded, and monitoring shows what the record says.
    """
    monkeypatch.setenv("DECISION_LOG_URL", f"sqlite:///{tmp_path}/decisions.db")
    raw, batch = copy_of_demo.path / RAW, copy_of_demo.path / "from_elsewhere"
    shutil.copytree(raw, batch)
    (batch / "application_train.csv").unlink()
    known = pd.read_parquet(copy_of_demo.path / OUTPUT / "holdout_predictions.parquet").set_index("SK_ID_CURR")
    applications = pd.read_csv(raw / "application_train.csv", dtype=str, keep_default_na=False)
    new = applications[applications["SK_ID_CURR"].astype(int).isin(known.index)].drop(columns="TARGET")
    new.sample(frac=1, random_state=0).to_csv(batch / "application_test.csv", index=False)
    before = fingerprint(copy_of_demo.path / "data")

    recorded = "scoring.decision_log=required"
    copy_of_demo.run("--pipelines", "batch_scoring", "--params", f"raw_folder={batch},batch=november,{recorded}")
    watched = "batch=november,monitoring.decision_log_weeks=2"
    copy_of_demo.run("--pipelines", "monitoring", "--params", watched)

    after = fingerprint(copy_of_demo.path / "data")
    assert {name for name in before if after.get(name) != before[name]} == set()
    scores = pd.read_parquet(copy_of_demo.path / "data/07_model_output/synthetic/november/scores.parquet")
    assert scores["SK_ID_CURR"].tolist() == sorted(known.index)
    assert "reasons" not in scores
    assert scores["probability_default"].tolist() == known.loc[scores["SK_ID_CURR"], "PROBABILITY"].tolist()
    trained_on, made = (
        pd.read_parquet(copy_of_demo.path / f"data/04_feature/{source}/applicant_features.parquet")
        .set_index("SK_ID_CURR")
        .loc[scores["SK_ID_CURR"]]
        .drop(columns=["TARGET", "SPLIT"])
        for source in ("synthetic", "synthetic/november")
    )
    pd.testing.assert_frame_equal(made, trained_on, check_exact=True)
    verdict = read_json(copy_of_demo, "data/08_reporting/synthetic/november/drift_verdict.json")
    assert verdict["score"]["psi"] == 0
    assert verdict["verdict"] == "stable"
    watched = read_json(copy_of_demo, "data/08_reporting/synthetic/november/recorded_decisions.json")
    assert sum(week["n"] for week in watched["weeks"]) == len(scores)
    approved = sum(week["n"] * week["approval_rate"] for week in watched["weeks"])
    assert round(approved) == (scores["decision"] == "granted").sum()
    page = (copy_of_demo.path / "data/08_reporting/synthetic/november/drift_report.html").read_text()
    assert "Décisions enregistrées" in page


def test_applicants_that_cannot_be_scored_stop_the_run_with_every_problem_named(copy_of_demo: Project) -> None:
    path = copy_of_demo.path / FEATURES
    features = pd.read_parquet(path)
    inputs = json.loads(yaml.safe_load((copy_of_demo.path / "model/MLmodel").read_text())["signature"]["inputs"])
    needed = next(column["name"] for column in inputs if column["required"] and column["type"] == "double")
    twice = pd.concat([features, features.tail(2)]).drop(columns=needed).assign(EXT_SOURCE_2="high")
    twice.to_parquet(path, index=False)
    before = fingerprint(copy_of_demo.path)
    done = copy_of_demo.kedro("run", "--env", "test", "--pipelines", "scoring", "--params", "scoring.applicants=all")
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    for problem in (
        f"column {needed}: expected, as it was never null in training; found none.",
        "column EXT_SOURCE_2: expected numbers; found string.",
        "column SK_ID_CURR: expected each applicant once; found 2 ids in several rows",
        "Hint: make the features with this version of the project",
    ):
        assert problem in said, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    after = fingerprint(copy_of_demo.path)
    assert {name for name in after if after[name] != before.get(name)} == {f"{OUTPUT}/applicant_counts.parquet"}


def test_row_models_stop_where_there_are_no_single_rows(copy_of_demo: Project) -> None:
    before = fingerprint(copy_of_demo.path)
    done = copy_of_demo.kedro("run", "--env", "test", "--pipelines", "modelling", *ROW_MODELS)
    assert done.returncode != 0
    assert "the single rows of the history `previous`; found no file" in done.stderr
    assert "Hint: data_processing writes them if row_models.candidates" in done.stderr
    assert fingerprint(copy_of_demo.path) == before


def test_the_same_seed_gives_the_same_data_predictions_and_metrics(
    demo: Project, new_project: Callable[[str], Project]
) -> None:
    again = new_project("again")
    again.run("--pipelines", "demo", "--to-outputs", "policy_evaluation,shap_values")
    for name in OFFICIAL_TABLES:
        assert (again.path / RAW / f"{name}.csv").read_bytes() == (demo.path / RAW / f"{name}.csv").read_bytes(), name
    for name in ("candidate_predictions", "oof_predictions", "holdout_predictions", "shap_values"):
        one, two = (pd.read_parquet(project.path / OUTPUT / f"{name}.parquet") for project in (demo, again))
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    for path in ("06_models/synthetic/decision_policy.json", "08_reporting/synthetic/policy_evaluation.json"):
        assert read_json(again, f"data/{path}") == read_json(demo, f"data/{path}")


def test_bad_files_stop_the_run_with_every_problem_named_and_nothing_overwritten(copy_of_demo: Project) -> None:
    raw = copy_of_demo.path / RAW
    (raw / "bureau.csv").unlink()
    train = pd.read_csv(raw / "application_train.csv")
    pd.concat([train, train.head(1)]).drop(columns="EXT_SOURCE_2").to_csv(raw / "application_train.csv", index=False)
    (raw / "POS_CASH_balance.csv").write_text("<html>Sign in to download</html>")
    previous = pd.read_csv(raw / "previous_application.csv")
    pd.concat([previous, previous.head(1).assign(AMT_CREDIT=1.0)]).to_csv(raw / "previous_application.csv", index=False)
    before = fingerprint(copy_of_demo.path)

    done = copy_of_demo.kedro("run", "--env", "test")

    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    for problem in (
        ": 4 problems found.",
        "bureau.csv: expected a file; found none.",
        "application_train.csv: expected column EXT_SOURCE_2; found none of that name.",
        "POS_CASH_balance.csv: expected the columns of table POS_CASH_balance; found a first line '<html>",
        "column SK_ID_PREV: expected unique values; found 1 that stands for different rows "
        f"(e.g. {previous['SK_ID_PREV'].iloc[0]}).",
        "Hint: put the CSV files side by side",
    ):
        assert problem in said, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert fingerprint(copy_of_demo.path) == before
    report = (copy_of_demo.path / "data/08_reporting/synthetic/data_quality.md").read_text()
    assert "- bureau\n  - expected a file; found none." in report
    assert "found a first line '<html>" in report


def test_histories_may_be_empty_if_that_is_said_and_a_bound_replaces_a_champion_above_it(copy_of_demo: Project) -> None:
    """One run shows both. Here the champion says that it is a blend, as it might be."""
    raw, histories = copy_of_demo.path / RAW, sorted(name for name, table in OFFICIAL_TABLES.items() if table.parents)
    for name in (*histories, "application_test"):
        path = raw / f"{name}.csv"
        path.write_text(path.read_text().splitlines()[0] + "\n")
    settings = copy_of_demo.path / "conf/base/parameters/data_processing.yml"
    settings.write_text(settings.read_text().replace("may_be_empty: []", f"may_be_empty: [{', '.join(histories)}]"))
    client, name = MlflowClient(f"sqlite:///{copy_of_demo.path}/mlflow.db"), "credit_scoring_model_test"
    client.set_model_version_tag(name, "1", "complexity", "blend")
    served = fingerprint(copy_of_demo.path / "model")
    outputs = "credit_scorer,leaderboard_table,price_of_interpretability_table"
    copy_of_demo.run("--to-outputs", outputs, "--params", "champion.max_complexity=equation,tuning.n_trials=1")
    features = pd.read_parquet(copy_of_demo.path / FEATURES)
    assert len(features) == len(pd.read_csv(raw / "application_train.csv"))
    assert (features.filter(like="HAS_") == 0).all(axis=None)
    champion = read_json(copy_of_demo, "data/06_models/synthetic/champion.json")
    assert champion["complexity"] in ("points", "equation")
    assert "champion.max_complexity allows at most `equation`" in champion["reason"]
    assert {"xgboost", "lightgbm", "random_forest", "mlp"} <= set(champion["left_out"])
    price = pd.read_csv(copy_of_demo.path / "data/08_reporting/synthetic/price_of_interpretability.csv")
    assert {"constant", "equation", "unconstrained"} <= set(price["complexity"])
    assert price.loc[price["champion"], "complexity"].tolist() == [champion["complexity"]]
    assert (price["log_loss_to_best"] >= 0).all()
    leaderboard = pd.read_csv(copy_of_demo.path / "data/08_reporting/synthetic/leaderboard.csv").set_index("candidate")
    for row in price.to_dict("records"):
        assert row["business_cost"] == leaderboard.loc[row["candidate"], "business_cost"]
        assert row["columns_needed"] == leaderboard.loc[row["candidate"], "columns_needed"]
    decision = read_json(copy_of_demo, "data/06_models/synthetic/promotion_decision.json")
    assert (decision["promoted"], decision["obstacle"], decision["incumbent"]) == (True, "too_complex", "1")
    version = client.get_model_version_by_alias(name, "champion")
    assert (str(version.version), version.tags["complexity"]) == ("2", champion["complexity"])
    assert fingerprint(copy_of_demo.path / "model") != served


@pytest.fixture(scope="module")
def rewritten(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the demo's project whose raw rows were written otherwise, and read again with models of single rows."""
    project = copy_project(demo.path, tmp_path_factory.mktemp("rewritten") / "project")
    raw, rng = project.path / RAW, np.random.default_rng(0)
    for name, contract in OFFICIAL_TABLES.items():
        path = raw / f"{name}.csv"
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        if contract.key:
            rows = pd.concat([rows, rows.sample(20, random_state=0)])
        if "SK_ID_CURR" in contract.parents:
            stranger = rows.tail(30).assign(SK_ID_CURR="999999")
            stranger[list(contract.key[:1])] = "9999999"
            rows = pd.concat([rows, stranger.drop_duplicates(list(contract.key) or None)])
        rows = rows.assign(EXTRA='a, "quoted" field').sample(frac=1, random_state=1)[
            [*rng.permutation(list(contract.columns)), "EXTRA"]
        ]
        for column in list(contract.columns)[-3:]:
            rows[column] = (
                rows[column].str.replace(r"^(-?\d+)$", r"\1.0", regex=True) if column != "STATUS" else rows[column]
            )
        fast = {"method": "gzip", "compresslevel": 1}
        rows.to_csv(path.with_name(path.name + ".gz"), index=False, compression=fast)
        path.unlink()
    (project.path / FEATURES).unlink()
    project.run("--to-nodes", "select_holdout_rows", *ROW_MODELS)
    return project


def test_the_same_rows_written_otherwise_give_the_same_features(demo: Project, rewritten: Project) -> None:
    """Order of rows and columns, copies, strangers, number formats, compression: none of them changes a feature."""
    before, after = (
        pd.read_parquet(project.path / FEATURES).sort_values("SK_ID_CURR", ignore_index=True)
        for project in (demo, rewritten)
    )
    pd.testing.assert_frame_equal(after, before, check_exact=False, rtol=1e-9)


def test_row_models_make_features_of_single_rows(rewritten: Project) -> None:
    data = rewritten.path / "data"
    row_models = pickle.loads((data / "06_models/synthetic/row_models.pkl").read_bytes())
    holdout = pd.read_parquet(data / "05_model_input/synthetic/holdout_rows.parquet")
    made = row_models.complete(holdout[["SK_ID_CURR"]], HistoryFiles(data / "04_feature/synthetic/history_rows"))
    pd.testing.assert_frame_equal(holdout[made.columns], made)
    assert len(row_models.feature_names) == 12
    for name in row_models.feature_names:
        has_history = holdout[find_feature(name).history] == 1
        assert holdout.loc[has_history, name].between(0, 1, inclusive="neither").all(), name
        assert holdout.loc[~has_history, name].isna().all(), name


def test_synthetic_data_are_never_written_over_other_data(demo: Project) -> None:
    done = demo.kedro("run", "--env", "kaggle", "--pipelines", "synthetic_data")
    assert done.returncode != 0
    assert not list((demo.path / "data").rglob("home_credit/*"))
    assert "was not made by this project and is read-only" in " ".join((done.stdout + done.stderr).split())
