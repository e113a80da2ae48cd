"""What has to be installed to serve a scorer."""

from importlib.metadata import packages_distributions, version

from credit_scoring.scorer import CreditScorer

# What serving needs from outside beside the library of the model's family
_SERVED_PACKAGES = (
    "mlflow-skinny",
    "babel",
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
    installed = packages_distributions()
    libraries = (*scorer.model.libraries, *scorer.row_models.libraries)
    packages = {*_SERVED_PACKAGES, *(installed[library][0] for library in libraries)}
    return [f"{package}=={version(package)}" for package in sorted(packages)]
