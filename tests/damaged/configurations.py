"""Bad configurations: one row each.

Whoever meets another one adds a row: the test takes it up, and `python -m tools.bad_configurations` writes it into
docs/bad_configurations.md.
"""

from dataclasses import dataclass, field
from typing import Any

from kedro.runner import AbstractRunner, ParallelRunner, SequentialRunner, ThreadRunner

MODELLING, GLOBALS = "conf/local/parameters/modelling.yml", "conf/local/globals.yml"


@dataclass(frozen=True)
class BadConfiguration:
    """Something that a user writes into a file or behind a command, and what is said of it before anything is computed.

    Attributes:
        what: The mistake, as a user would say it.
        stops: Parts of the one error, in order.
        params: What stands behind `--params`.
        files: File of the project -> its content.
        env: What stands behind `--env`.
        run: Other options of the run.
        runner: What runs it.
    """

    what: str
    stops: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    env: str | None = "test"
    run: dict[str, Any] = field(default_factory=dict)
    runner: type[AbstractRunner] = SequentialRunner


def candidates(**described: Any) -> dict[str, Any]:
    """Return a row's parameters and what looks at them."""
    return {"params": {"candidates": described}, "run": {"node_names": ["check_candidates"]}}


def tuned(family: str, wrong: str) -> dict[str, Any]:
    """Return a row in which a hyper-parameter is misspelt."""
    return candidates(**{family: {"family": family, "params": {wrong: 3}}})


BAD_CONFIGURATIONS = [
    BadConfiguration("the folder of the raw files, misspelt", ("raw_foldr (--params)", "did you mean raw_folder?"), {"raw_foldr": "/data", "batch": "november"}),
    BadConfiguration("a section of the parameters, misspelt", ("tunning (--params)", "did you mean tuning?"), {"tunning": {"n_trials": 3}}),
    BadConfiguration("a name within a section, misspelt", ("tuning.n_trails (--params)", "did you mean tuning.n_trials?"), {"tuning": {"n_trails": 3}}),
    BadConfiguration("a name two levels below, misspelt", ("policy.grid.hihg (--params)", "did you mean policy.grid.high?"), {"policy": {"grid": {"hihg": 0.8}}}),
    BadConfiguration("two mistakes at once", ("tunning (--params)", "costs.false_negativ (--params)"), {"tunning": {}, "costs": {"false_negativ": 3}}),
    BadConfiguration("the language of the report, on the command line", ("language (--params)", "conf/local/globals.yml"), {"language": "en"}),
    BadConfiguration("the language of the figures alone", ("figures (--params): files would not follow it", "conf/local/globals.yml"), {"figures": {"language": "en"}}),
    BadConfiguration("the source of the data, on the command line", ("source (--params): files would not follow it", "--env"), {"source": "home_credit"}),
    BadConfiguration("the folder of the model, on the command line", ("places (--params)", "conf/local/globals.yml"), {"places": {"model_folder": "other"}}),
    BadConfiguration("a number that is too small", ("tuning.n_trials (--params)", "greater than or equal to 1, found 0"), {"tuning": {"n_trials": 0}}),
    BadConfiguration("a share above 1", ("split.holdout_share (--params)", "found 1.5"), {"split": {"holdout_share": 1.5}}),
    BadConfiguration("a text in place of a number", ("cross_validation.n_folds (--params)", "found 'five'"), {"cross_validation": {"n_folds": "five"}}),
    BadConfiguration("a language that there is not", ("scoring.language (--params)", "'fr' or 'en', found 'de'"), {"scoring": {"language": "de"}}),
    BadConfiguration("a column to protect that there is not", ("protected", "found CODE_GENDR", "did you mean CODE_GENDER?"), {"protected": {"columns": ["CODE_GENDR"]}}),
    BadConfiguration("the name of a batch that leads out of the folder", ("A batch is named by letters",), {"batch": "../other"}),
    BadConfiguration("a parameter file of the user, with a misspelt name in it", ("tuning.n_trails (", MODELLING, "did you mean tuning.n_trials?"), files={MODELLING: "tuning: {n_trails: 3}\n"}),
    BadConfiguration("a parameter file of the user, with an unknown section", ("tunning (", "conf/local/parameters.yml"), files={"conf/local/parameters.yml": "tunning: {n_trials: 3}\n"}),
    BadConfiguration("a parameter file of the user, with a wrong value", ("tuning.n_trials (", "conf/local/parameters.yml", "found -1"), files={"conf/local/parameters.yml": "tuning: {n_trials: -1}\n"}),
    BadConfiguration("the section of a parameter file left empty", ("tuning (", MODELLING), files={MODELLING: "tuning:\n"}),
    BadConfiguration("globals with a misspelt name", ("langage (", GLOBALS, "did you mean language?"), files={GLOBALS: "langage: en\n"}),
    BadConfiguration("a setting of the engine, misspelt", ("relational.memory_limt (globals.yml)", "did you mean relational.memory_limit?"), files={GLOBALS: "relational: {backend: duckdb, memory_limt: 3GB}\n"}),
    BadConfiguration("a file that nothing reads", ("paramters.yml (", "conf/local", "did you mean parameters.yml?"), files={"conf/local/paramters.yml": "tuning: {n_trials: 3}\n"}),
    BadConfiguration("a file of globals that nothing reads", ("global.yml (", "did you mean globals.yml?"), files={"conf/local/global.yml": "language: en\n"}),
    BadConfiguration("a file that is no YAML", ("modelling.yml",), files={MODELLING: "tuning: {n_trials: 3\n"}),
    BadConfiguration("the same section in two files", ("Duplicate keys",), files={MODELLING: "tuning: {n_trials: 3}\n", "conf/local/parameters/tuning.yml": "tuning: {n_trials: 4}\n"}),
    BadConfiguration("settings of Spark with a misspelt name", ("answer_withn (spark.yml)", "did you mean answer_within?"), files={"conf/local/spark.yml": "answer_withn: 3\n"}, env="spark"),
    BadConfiguration("the address of the MLflow server under a misspelt name", ("server.mlflow_tracking_url (", "conf/local/mlflow.yml", "did you mean server.mlflow_tracking_uri?"), files={"conf/local/mlflow.yml": "server: {mlflow_tracking_url: 'http://127.0.0.1:5000'}\n"}),
    BadConfiguration("an environment that there is not", ("kagle (--env)", "did you mean kaggle?"), env="kagle"),
    BadConfiguration("a pipeline that there is not", ("modeling (--pipelines)", "did you mean modelling?"), run={"pipeline_names": ["modeling"]}),
    BadConfiguration("a node that there is not", ("fit_champoin (node of the pipeline modelling)", "did you mean fit_champion?"), run={"pipeline_names": ["modelling"], "from_nodes": ["fit_champoin"]}),
    BadConfiguration("a tag that there is not", ("sparc (tag of the pipeline spark_scoring)", "did you mean spark?"), run={"pipeline_names": ["spark_scoring"], "tags": ["sparc"]}),
    BadConfiguration("a dataset that there is not", ("champion_modl (dataset of the pipeline __default__)", "did you mean champion_model?"), run={"to_outputs": ["champion_modl"]}),
    BadConfiguration("loading and saving in threads", ("--async cannot run", "leave out --async"), runner=lambda: SequentialRunner(is_async=True)),
    BadConfiguration("nodes in threads", ("ThreadRunner cannot run", "leave out --async and --runner"), runner=ThreadRunner),
    BadConfiguration("nodes in processes", ("ParallelRunner cannot run", "leave out --async and --runner"), runner=ParallelRunner),
    BadConfiguration("a family that there is not", ("candidates.a.family: lightgmb", "did you mean lightgbm?"), **candidates(a={"family": "lightgmb"})),
    BadConfiguration("a word of a candidate, misspelt", ("candidates.a.imbalnce", "did you mean imbalance?"), **candidates(a={"family": "dummy", "imbalnce": "smote"})),
    BadConfiguration("a treatment of class imbalance that there is not", ("candidates.a.imbalance", "'smote'"), **candidates(a={"family": "dummy", "imbalance": "smoot"})),
    BadConfiguration("a hyper-parameter of LightGBM, misspelt", ("candidates.lightgbm.params", "num_leafs is not known, did you mean num_leaf?"), **tuned("lightgbm", "num_leafs")),
    BadConfiguration("a hyper-parameter of XGBoost, misspelt", ("candidates.xgboost.params", "did you mean max_depth?"), **tuned("xgboost", "max_dept")),
    BadConfiguration("a hyper-parameter of the random forest, misspelt", ("did you mean n_estimators?",), **tuned("random_forest", "n_estimator")),
    BadConfiguration("a hyper-parameter of the regression, misspelt", ("did you mean max_iter?",), **tuned("logistic_regression", "maxiter")),
    BadConfiguration("a hyper-parameter of the network, misspelt", ("did you mean hidden_units?",), **tuned("mlp", "hidden_unit")),
    BadConfiguration("a hyper-parameter of the scorecard, misspelt", ("did you mean max_variables?",), **tuned("scorecard", "max_variable")),
    BadConfiguration("a member of the blend that there is not", ("members.x.candidate: xgbost, expected one of",), **candidates(blend={"family": "blend", "params": {"members": {"x": {"candidate": "xgbost"}}}})),
    BadConfiguration("a monotone constraint on a column that there is not", ("AMT_CREDITS is not a feature, did you mean AMT_CREDIT?",), **candidates(mine={"family": "lightgbm", "monotone": True, "constraints": {"AMT_CREDITS": 1}})),
    BadConfiguration("a level of complexity that there is not", ("champion.max_complexity (--params)", "found 'equations'"), {"champion": {"max_complexity": "equations"}}),
    BadConfiguration("a bound on complexity that no candidate keeps", ("champion.max_complexity: at most `constant` is allowed, and no candidate but a baseline is", "lightgbm is `unconstrained`"), {"champion": {"max_complexity": "constant"}}, run={"node_names": ["check_candidates"]}),
    BadConfiguration("modelling before the features are made", ("is not there: data/04_feature/synthetic/applicant_features.parquet", "kedro run --pipelines data_processing --env test"), run={"pipeline_names": ["modelling"]}),
    BadConfiguration("scoring before a model is made", ("model", "kedro run --pipelines data_processing --env test && kedro run --pipelines threshold_tuning"), run={"pipeline_names": ["scoring"]}),
    BadConfiguration("a batch scored before a model is made, or its features", ("kedro run --pipelines batch_scoring --env test --params batch=november",), {"batch": "november"}, run={"pipeline_names": ["scoring"]}),
    BadConfiguration("a start in the middle of the preparation", ("typed_bureau (never stored)", "begin where it is made: kedro run --from-nodes inspect_raw_tables"), run={"from_nodes": ["clean_bureau"]}),
]  # fmt: skip
