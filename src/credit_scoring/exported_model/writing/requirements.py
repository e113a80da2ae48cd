"""What has to be installed to serve a scorer."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version

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
def installed_builds() -> Mapping[str, Sequence[str]]:
    """Return which packages here bring each module: of a library with several builds, the one that is installed.

    Asked once per process: Python looks at every file of every package, for a second.
    """
    return packages_distributions()


def served_requirements(scorer: CreditScorer) -> list[str]:
    """Return `name==version` of the packages to install: those of the training run.

    A marker says which systems a package exists for. Where the run had the build that is usual on its system, the other
    systems get theirs, in the same version; another build is pinned as it is.
    """
    installed = installed_builds()
    libraries = (*scorer.model.libraries, *scorer.row_models.libraries)
    packages = {*_SERVED_PACKAGES, *(installed[library][0] for library in libraries)}
    pins = []
    for package in sorted(packages):
        is_usual = package not in _MARKERS or Marker(_MARKERS[package]).evaluate()
        for name in sorted(_BUILDS) if package in _BUILDS and is_usual else [package]:
            marker = f"; {_MARKERS[name]}" if name in _MARKERS and is_usual else ""
            pins.append(f"{name}=={version(package)}{marker}")
    return pins
