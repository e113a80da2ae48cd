"""Refresh the exported model from the registry: `python -m credit_scoring.export`."""

import argparse
import sys
from pathlib import Path
from typing import cast

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset


def main() -> None:
    """Put the champion of the registry that the configuration names into the folder that it names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", help="environment of the configuration, such as kaggle")
    env = parser.parse_args().env
    project = Path.cwd()
    bootstrap_project(project)
    session = KedroSession.create(project, env=env)
    with session:
        scorer = cast(MlflowScorerDataset, session.load_context().catalog.get("credit_scorer"))
        version = scorer.export_champion()
        described = scorer._describe()
    sys.stdout.write(f"{described['filepath']}: version {version} of {described['registered_model_name']}\n")


if __name__ == "__main__":
    main()
