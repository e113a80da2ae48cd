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
    """Return `name==version` of the packages to install: those of the training run, in versions as in builds."""
    model = getattr(scorer.model, "inner", scorer.model)
    module = type(model).__module__.rpartition(".")[2]
    installed = packages_distributions()
    libraries = {family.library for family in FAMILIES.values() if family.module == module}
    packages = {*_SERVED_PACKAGES, *(installed.get(library, [library])[0] for library in libraries)}
    return [f"{package}=={version(package)}" for package in sorted(packages)]
