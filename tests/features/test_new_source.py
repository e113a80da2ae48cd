"""A new source is a contract and a module: put into a copy of the project, all else follows from them."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.features.sources import SOURCES
from tests.commands import run_command

ROOT = Path(__file__).parents[2]

# Names that nobody else chooses: a real source of tax returns must not break this test.
SOURCE, TABLE, PREFIX = "source_of_this_test", "table_of_this_test", "THIS_TEST"

CONTRACT = f'''
"""Contract of tax returns."""

from credit_scoring.schemas.contract import RawTable, key, real, whole

TAX_RETURNS = RawTable(
    name="{TABLE}",
    grain="one tax return of the applicant",
    definition={{
        "SK_ID_CURR": key("The applicant"),
        "DAYS_FILED": whole("Day of filing, in days before the application", -4_000, 0),
        "AMT_TAXED": real("Taxed income", 0, 100_000_000, missing=0.5),
    }},
    parents={{"SK_ID_CURR": ("application", 0.0)}},
    may_be_missing=True,
)
'''

MODULE = f'''
"""Features of tax returns."""

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import aggregate_by_client, null_if
from credit_scoring.features.records import Cleaning, Measure, Origin, Rows, Source, last_days, values_of

TITLE = ("Returns of this test", "Déclarations de ce test")
TAX = Origin("{PREFIX}", "{TABLE}", TITLE, "income", "{PREFIX}_RETURNS_COUNT")
CLEAN = Cleaning("{TABLE}", keep=_.DAYS_FILED <= 0, columns={{"AMT_TAXED": null_if(_.AMT_TAXED, _.AMT_TAXED < 0)}})
RETURNS = Rows(
    TAX,
    "tax return",
    measures=(
        Measure("RETURNS", True, "yes_no", "tax returns", "déclarations fiscales"),
        Measure("TAXED", _.AMT_TAXED, "amount", "taxed income", "revenu imposé"),
    ),
)
FEATURES = (
    *RETURNS.features({{"RETURNS": ("COUNT",), "TAXED": ("MEAN",)}}),
    *RETURNS.features({{"TAXED": ("MAX",)}}, last_days(730, _.DAYS_FILED >= -730)),
)


def compute_{SOURCE}_features(tax_returns: ir.Table) -> ir.Table:
    """Summarise the tax returns of each client."""
    return aggregate_by_client(RETURNS.measure(tax_returns), values_of(FEATURES))


SOURCE = Source("{SOURCE}", TITLE[0], (CLEAN,), compute_{SOURCE}_features, FEATURES, (RETURNS,))
'''


FLAG, COUNT, MEAN, MAX = f"HAS_{PREFIX}", f"{PREFIX}_RETURNS_COUNT", f"{PREFIX}_TAXED_MEAN", f"{PREFIX}_TAXED_MAX_730D"


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command(project, "kedro.framework.cli.cli", "run", "--env", "test", *arguments, code=project / "src")


def list_in(path: Path, anchor: str, line: str) -> None:
    text = path.read_text()
    assert text.count(anchor) == 1, anchor
    path.write_text(text.replace(anchor, f"{line}{anchor}"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with the source, and what CONTRIBUTING.md names changed in it."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("src", "conf", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("local"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "conf/local").mkdir(exist_ok=True)
    package = copy / "src/credit_scoring"
    (package / f"schemas/raw/{TABLE}.py").write_text(CONTRACT)
    contracts = package / "schemas/raw/__init__.py"
    list_in(contracts, "\n__all__", f"\nfrom credit_scoring.schemas.raw.{TABLE} import TAX_RETURNS\n")
    list_in(contracts, "            CREDIT_CARD_BALANCE,\n", "            TAX_RETURNS,\n")
    (package / f"features/{SOURCE}.py").write_text(MODULE)
    sources = package / "features/sources.py"
    list_in(sources, "\nSOURCES", f"\nfrom credit_scoring.features import {SOURCE}\n")
    list_in(sources, "    credit_card.SOURCE,\n", f"    {SOURCE}.SOURCE,\n")
    return copy


def features_of(project: Path) -> pd.DataFrame:
    (path,) = (project / "data/04_feature").rglob("applicant_features.parquet")
    return pd.read_parquet(path).set_index("SK_ID_CURR").sort_index()


def test_a_new_source_is_a_contract_and_a_module(project: Path) -> None:
    assert SOURCE not in {source.name for source in SOURCES}
    size = ("--params", "synthetic_data.n_train=300,synthetic_data.n_test=40")
    made = run(project, "--pipelines", "synthetic_data,data_processing", "--to-nodes", "join_features", *size)
    assert made.returncode == 0, made.stdout[-5000:] + made.stderr[-5000:]
    without = features_of(project)
    assert (without[FLAG] == 0).all()  # nobody brought the file
    assert without[MEAN].isna().all()

    first, second, third = without.index[:3]
    (raw,) = (project / "data/01_raw").glob("*/application_train.csv")
    pd.DataFrame(
        {
            "SK_ID_CURR": [first, first, second, second],
            "DAYS_FILED": [-400, -800, -100, 5],
            "AMT_TAXED": [300.0, 100.0, None, 900.0],
        }
    ).to_csv(raw.with_name(f"{TABLE}.csv"), index=False)
    outputs = "applicant_features@ibis,feature_dictionary,data_dictionary,data_flow"
    again = run(project, "--pipelines", "data_processing,documentation", "--to-outputs", outputs)
    assert again.returncode == 0, again.stdout[-5000:] + again.stderr[-5000:]
    features = features_of(project)
    assert features.loc[[first, second, third], FLAG].tolist() == [1, 1, 0]
    assert features.loc[first, [COUNT, MEAN, MAX]].tolist() == [2, 200, 300]
    assert features.loc[second, COUNT] == 1  # what lies after the application is not known
    assert features.loc[second, [MEAN, MAX]].isna().all()
    kept = without.columns.difference([FLAG, COUNT, MEAN, MAX])
    pd.testing.assert_frame_equal(features[kept], without[kept])

    dictionary = (project / "docs/feature_dictionary.md").read_text()
    (row,) = [line for line in dictionary.splitlines() if line.startswith(f"| `{MAX}`")]
    assert "<br>*Revenu imposé, maximum, 730 derniers jours* | currency of the data |" in row
    assert "| `max(TAXED) over tax returns where DAYS_FILED >= -730` |" in row
    assert f"## {TABLE}\n" in (project / "docs/data_dictionary.md").read_text()


def test_a_new_source_passes_what_sources_pass(project: Path, tmp_path: Path) -> None:
    files = ["test_catalogue.py", "test_properties.py", "test_units.py"]
    options = ["-v", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'temp'}"]
    chosen = ("-k", f"test_catalogue or test_units or {SOURCE}")
    paths = [(ROOT / "tests/features" / file).as_posix() for file in files]
    done = run_command(ROOT, "pytest", *options, *chosen, *paths, code=project / "src")
    assert done.returncode == 0, done.stdout[-5000:]
    passed = [line for line in done.stdout.splitlines() if "PASSED" in line]
    assert all(any(file in line for line in passed) for file in files)
    after_application = f"test_what_lies_after_the_application_changes_nothing[{SOURCE}]"
    assert any(after_application in line for line in passed)
