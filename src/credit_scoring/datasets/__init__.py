"""Catalog dataset types that the libraries lack."""

import os

# MLflow's bars are for a terminal: the log of a run would keep every state of them
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
