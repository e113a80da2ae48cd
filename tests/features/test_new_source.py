"""A new source is a contract and a module: put into a copy of the project, all else follows from them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.features.sources import SOURCES

ROOT = Path(__file__).parents[2]

CONTRACT = '''
"""Contract of `tax_returns.csv`."""

from credit_scoring.schemas.contract import RawTable, key, real, whole

TAX_RETURNS = RawTable(
    name="tax_returns",
    grain="one tax return of the applicant",
    definition={
        "SK_ID_CURR": key("The applicant"),
        "DAYS_FILED": whole("Day of filing, in days before the application", -4_000, 0),
        "AMT_TAXED": real("Taxed income", 0, 100_000_000, missing=0.5),
    },
    parents={"SK_ID_CURR": ("application", 0.0)},
    may_be_missing=True,
)
'''

MODULE = '''
"""Features of tax returns, from `tax_returns`."""

from ibis import _

from credit_scoring.features.expressions import aggregate_by_client, null_if
from credit_scoring.features.records import Cleaning, Measure, Origin, Rows, Source, last_days, values_of

TAX = Origin("TAX", "tax_returns", ("Tax returns", "Déclarations fiscales"), "income", "TAX_RETURNS_COUNT")
CLEAN = Cleaning("tax_returns", keep=_.DAYS_FILED <= 0, columns={"AMT_TAXED": null_if(_.AMT_TAXED, _.AMT_TAXED < 0)})
RETURNS = Rows(
    TAX,
    "tax return",
    measures=(
        Measure("RETURNS", True, "yes_no", "tax returns", "déclarations fiscales"),
        Measure("TAXED", _.AMT_TAXED, "amount", "taxed income", "revenu imposé"),
    ),
)
FEATURES = (
    *RETURNS.features({"RETURNS": ("COUNT",), "TAXED": ("MEAN",)}),
    *RETURNS.features({"TAXED": ("MAX",)}, last_days(730, _.DAYS_FILED >= -730)),
)


def compute_tax_features(tax_returns):
    """Summarise the tax returns of each client."""
    return aggregate_by_client(RETURNS.measure(tax_returns), values_of(FEATURES))


SOURCE = Source("tax", "Tax returns", (CLEAN,), compute_tax_features, FEATURES, (RETURNS,))
'''


NEW = ["HAS_TAX", "TAX_RETURNS_COUNT", "TAX_TAXED_MEAN", "TAX_TAXED_MAX_730D"]


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--env", "test", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": (project / "src").as_posix()},
        capture_output=True,
        text=True,
        check=False,
    )


def list_in(path: Path, anchor: str, line: str) -> None:
    text = path.read_text()
    assert text.count(anchor) == 1, anchor
    path.write_text(text.replace(anchor, f"{line}{anchor}"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with the source, and what CONTRIBUTING.md names changed in it."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("src", "conf", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "local"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "conf/local").mkdir(exist_ok=True)
    package = copy / "src/credit_scoring"
    (package / "schemas/raw/tax.py").write_text(CONTRACT)
    contracts = package / "schemas/raw/__init__.py"
    list_in(contracts, "\n__all__", "\nfrom credit_scoring.schemas.raw.tax import TAX_RETURNS\n")
    list_in(contracts, "            CREDIT_CARD_BALANCE,\n", "            TAX_RETURNS,\n")
    (package / "features/tax.py").write_text(MODULE)
    sources = package / "features/sources.py"
    list_in(sources, "\nSOURCES", "\nfrom credit_scoring.features import tax\n")
    list_in(sources, "    credit_card.SOURCE,\n", "    tax.SOURCE,\n")
    return copy


def features_of(project: Path) -> pd.DataFrame:
    (path,) = (project / "data/04_feature").rglob("applicant_features.parquet")
    return pd.read_parquet(path).set_index("SK_ID_CURR").sort_index()


def test_a_new_source_is_a_contract_and_a_module(project: Path) -> None:
    assert "tax" not in {source.name for source in SOURCES}
    made = run(project, "--pipelines", "synthetic_data,data_processing", "--to-nodes", "join_features")
    assert made.returncode == 0, made.stdout[-5000:] + made.stderr[-5000:]
    without = features_of(project)
    assert (without["HAS_TAX"] == 0).all()  # nobody brought the file
    assert without["TAX_TAXED_MEAN"].isna().all()

    first, second, third = without.index[:3]
    (raw,) = (project / "data/01_raw").glob("*/application_train.csv")
    pd.DataFrame(
        {
            "SK_ID_CURR": [first, first, second, second],
            "DAYS_FILED": [-400, -800, -100, 5],
            "AMT_TAXED": [300.0, 100.0, None, 900.0],
        }
    ).to_csv(raw.with_name("tax_returns.csv"), index=False)
    again = run(project, "--pipelines", "data_processing", "--to-nodes", "join_features")
    assert again.returncode == 0, again.stdout[-5000:] + again.stderr[-5000:]
    features = features_of(project)
    assert features.loc[[first, second, third], "HAS_TAX"].tolist() == [1, 1, 0]
    assert features.loc[first, ["TAX_RETURNS_COUNT", "TAX_TAXED_MEAN", "TAX_TAXED_MAX_730D"]].tolist() == [2, 200, 300]
    assert features.loc[second, "TAX_RETURNS_COUNT"] == 1  # what lies after the application is not known
    assert features.loc[second, ["TAX_TAXED_MEAN", "TAX_TAXED_MAX_730D"]].isna().all()
    kept = without.columns.difference(NEW)
    pd.testing.assert_frame_equal(features[kept], without[kept])

    documented = run(project, "--pipelines", "documentation")
    assert documented.returncode == 0, documented.stdout[-5000:] + documented.stderr[-5000:]
    dictionary = (project / "docs/feature_dictionary.md").read_text()
    (row,) = [line for line in dictionary.splitlines() if line.startswith("| `TAX_TAXED_MAX_730D`")]
    assert "<br>*Revenu imposé, maximum, 730 derniers jours* | currency of the data |" in row
    assert "| `max(TAXED) over tax returns where DAYS_FILED >= -730` |" in row
    assert "## tax_returns" in (project / "docs/data_dictionary.md").read_text()
