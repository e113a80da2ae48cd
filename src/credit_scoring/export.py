"""Refresh the exported model from the registry: `python -m credit_scoring.export`."""

import argparse
import sys
from typing import cast

from click import ClickException
from kedro.framework.session import KedroSession
from kedro.io import DatasetError

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset
from credit_scoring.project import enter_project


def main() -> None:
    """Put the champion of the registry that the configuration names into the folder that it names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", help="environment of the configuration, such as kaggle")
    env = parser.parse_args().env
    try:
        session = KedroSession.create(enter_project(), env=env)
        with session:
            scorer = cast(MlflowScorerDataset, session.load_context().catalog.get("credit_scorer"))
            version = scorer.export_champion()
            described = scorer._describe()
    except (ClickException, DatasetError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{described['filepath']}: version {version} of {described['registered_model_name']}\n")


if __name__ == "__main__":
    main()
