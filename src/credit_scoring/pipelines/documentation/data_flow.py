"""What passes from pipeline to pipeline, as a page: a picture in Mermaid, and the names in a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import groupby

from credit_scoring.markdown import markdown_templates

_TEMPLATES = markdown_templates(__file__)
_MANY = 4
"""Names with one beginning from which on they are told by it alone."""

Pipelines = Mapping[str, Mapping[str, Sequence[str]]]


def write_data_flow(registered_pipelines: Pipelines) -> str:
    """Write what passes from pipeline to pipeline as Markdown, each pipeline after those that it reads from.

    Datasets that only outsiders make (raw files that a user brings) and pipelines that pass nothing on and read nothing
    of others' are left out.

    Returns:
        A page with a Mermaid flowchart, which GitHub draws, and a table that says the same with names.
    """
    read = {name: set(pipeline["inputs"]) for name, pipeline in registered_pipelines.items()}
    made = {name: set(pipeline["outputs"]) for name, pipeline in registered_pipelines.items()}
    order = list(
        TopologicalSorter(
            {name: [other for other in made if other != name and made[other] & read[name]] for name in made}
        ).static_order()
    )
    passed: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for producer in order:
        for dataset in sorted(made[producer]):
            readers = tuple(name for name in order if name != producer and dataset in read[name])
            if readers:
                passed[producer, readers].append(dataset)
    return _TEMPLATES.get_template("data_flow.md.jinja").render(
        arrows=dict.fromkeys((producer, reader) for producer, readers in passed for reader in readers),
        passed={crossing: _shorten(datasets) for crossing, datasets in passed.items()},
    )


def _shorten(names: Sequence[str]) -> list[str]:
    """Tell many names with one first word by this word and their number."""
    told = []
    for first, together in groupby(names, key=lambda name: name.partition("_")[0]):
        alike = [f"`{name}`" for name in together]
        told += [f"`{first}_…` ({len(alike)})"] if len(alike) >= _MANY else alike
    return told
