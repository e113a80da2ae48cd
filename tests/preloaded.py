"""What the server of `tests.commands` imports last: it computes, for all its forks, what code and packages say."""

import gc

from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

from credit_scoring.features.catalogue import feature_lineages
from credit_scoring.features.plan import join_sources

feature_lineages()
join_sources()
warn_dependency_requirement_mismatches(["mlflow"])  # MLflow looks at every file of every package for it, once

# No fork need look for garbage among what is there, nor copy its memory
gc.freeze()
