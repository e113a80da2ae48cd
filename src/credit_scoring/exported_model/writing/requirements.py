"""What has to be installed to serve a scorer."""

from functools import cache
from importlib.metadata import distributions, version

from packaging.markers import Marker

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
# One library that is built under two names, and what no other system has: as in pyproject.toml
_BUILDS = {
    "xgboost-cpu": "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "xgboost": "sys_platform != 'linux' or platform_machine != 'x86_64'",
}
_MARKERS = {"uvloop": "sys_platform != 'win32'", **_BUILDS}


@cache
def package_of(library: str) -> str:
    """Return which package brings a library here: of one with several builds, the one that is installed.

    Read off the lists of files that installers leave; `importlib.metadata.packages_distributions` looks at every file
    itself, for most of a second.
    """
    listed = f"\n{library}/__init__.py,"
    return next((one.name for one in distributions() if listed in f"\n{one.read_text('RECORD')}"), library)


def served_requirements(scorer: CreditScorer) -> list[str]:
    """Return `name==version` of the packages to install: those of the training run.

    A marker says which systems a package exists for. Where the run had the build that is usual on its system, the other
    systems get theirs, in the same version; another build is pinned as it is.
    """
    libraries = (*scorer.model.libraries, *scorer.row_models.libraries)
    packages = {*_SERVED_PACKAGES, *map(package_of, libraries)}
    pins = []
    for package in sorted(packages):
        is_usual = package not in _MARKERS or Marker(_MARKERS[package]).evaluate()
        for name in sorted(_BUILDS) if package in _BUILDS and is_usual else [package]:
            marker = f"; {_MARKERS[name]}" if name in _MARKERS and is_usual else ""
            pins.append(f"{name}=={version(package)}{marker}")
    return pins
