"""What has to be installed to serve a scorer."""

from importlib.metadata import packages_distributions, version

from credit_scoring.models import FAMILIES
from credit_scoring.scorer import CreditScorer

# What serving needs from outside beside the library of the model's family
_SERVED_PACKAGES = (
    "mlflow-skinny",
    "cloudpickle",
    "fastapi",
    "httptools",
    "numpy",
    "orjson",
    "pandas",
    "prometheus-client",
    "pydantic-settings",
    "pyyaml",
    "scikit-learn",
    "scipy",
    "uvicorn",
    "uvloop",
)


def served_requirements(scorer: CreditScorer) -> list[str]:
    """Pin the packages to the versions of the training run, `name==version` each, in order."""
    return [f"{package}=={version(package)}" for package in _served_packages(scorer)]


def _served_packages(scorer: CreditScorer) -> list[str]:
    """Name the packages to install; of a library that has several builds, the one of the training run."""
    model = getattr(scorer.model, "inner", scorer.model)
    module = type(model).__module__.rpartition(".")[2]
    installed = packages_distributions()
    libraries = {family.library for family in FAMILIES.values() if family.module == module}
    return sorted({*_SERVED_PACKAGES, *(installed.get(library, [library])[0] for library in libraries)})
