"""The picture of what passes from pipeline to pipeline."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

_LANE, _TOP, _SIDE = 146, 62, 16
_BOX_WIDTH, _BOX_HEIGHT = 132, 30
_LINE, _PADDING = 15, 11
_CHARACTER = 6.3
"""Pixels of the widest usual letter of a name in the size it is written in."""
_MANY = 4
"""Names with one beginning from which on they are told by it alone."""

Pipelines = Mapping[str, Mapping[str, Sequence[str]]]


def draw_data_flow(registered_pipelines: Pipelines) -> str:
    """Draw the pipelines side by side, each after those that it reads from, and what passes between them as arrows.

    An arrow starts at the pipeline that makes the datasets written on it and ends at the last that reads them; a dot
    marks each reader. As nothing flows back, no arrow crosses another. Pipelines that pass nothing on and read
    nothing of others' are left out.

    Returns:
        An SVG picture.
    """
    lanes = _order(registered_pipelines)
    arrows = [
        (producer, readers, label)
        for producer in lanes
        for readers, names in _crossing(registered_pipelines, producer, lanes)
        for label in [_wrap(_shorten(names), (lanes.index(readers[-1]) - lanes.index(producer)) * _LANE)]
    ]
    width = 2 * _SIDE + len(lanes) * _LANE
    centre = {name: _SIDE + _LANE * index + _LANE / 2 for index, name in enumerate(lanes)}
    body, y = [], float(_TOP)
    for number, (producer, readers, label) in enumerate(arrows):
        if number and producer != arrows[number - 1][0]:
            y += _PADDING
        y += _LINE * len(label) + _PADDING
        body += _draw_arrow(centre[producer], [centre[reader] for reader in readers], y, label)
    height = y + 2 * _PADDING
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            'font-family="Helvetica, Arial, sans-serif" role="img">',
            "<title>What passes from pipeline to pipeline</title>",
            f'<rect width="{width}" height="{height:.0f}" fill="#ffffff"/>',
            *(_draw_lane(name, centre[name], height) for name in lanes),
            *body,
            "</svg>",
            "",
        ]
    )


def _order(pipelines: Pipelines) -> list[str]:
    """Put each pipeline after those whose datasets it reads; leave out those that stand alone."""
    made = {name: set(pipeline["outputs"]) for name, pipeline in pipelines.items()}
    sources = {
        name: {other for other in pipelines if other != name and made[other] & set(pipeline["inputs"])}
        for name, pipeline in pipelines.items()
    }
    waiting = [name for name in pipelines if sources[name] or any(name in others for others in sources.values())]
    ordered: list[str] = []
    while waiting:
        ready = next(name for name in waiting if sources[name] <= set(ordered))
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def _crossing(pipelines: Pipelines, producer: str, lanes: Sequence[str]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return the datasets of a pipeline that others read, grouped by these readers, nearest readers first."""
    readers = {
        name: tuple(lane for lane in lanes if lane != producer and name in pipelines[lane]["inputs"])
        for name in pipelines[producer]["outputs"]
    }

    def place(name: str) -> list[int]:
        return [lanes.index(reader) for reader in reversed(readers[name])]

    crossing = sorted((name for name in readers if readers[name]), key=lambda name: (place(name), name))
    return [(together, list(names)) for together, names in groupby(crossing, key=lambda name: readers[name])]


def _shorten(names: Sequence[str]) -> list[str]:
    """Tell many names with one first word by this word and their number."""
    told = []
    for first, together in groupby(names, key=lambda name: name.partition("_")[0]):
        alike = list(together)
        told += [f"{first}_… ({len(alike)})"] if len(alike) >= _MANY else alike
    return told


def _wrap(names: Sequence[str], width: float) -> list[str]:
    lines = [names[0]]
    for name in names[1:]:
        longer = f"{lines[-1]}, {name}"
        if len(longer) * _CHARACTER <= width - 12:
            lines[-1] = longer
        else:
            lines[-1] += ","
            lines.append(name)
    return lines


def _draw_lane(name: str, centre: float, height: float) -> str:
    left, top = centre - _BOX_WIDTH / 2, 14
    return (
        f'<line x1="{centre:g}" y1="{top + _BOX_HEIGHT}" x2="{centre:g}" y2="{height - 8:.0f}" stroke="#c9d3df" '
        'stroke-dasharray="3 4"/>'
        f'<rect x="{left:g}" y="{top}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="5" fill="#1f3a5f"/>'
        f'<text x="{centre:g}" y="{top + 20}" fill="#ffffff" font-size="12.5" font-weight="bold" text-anchor="middle">'
        f"{escape(name)}</text>"
    )


def _draw_arrow(start: float, ends: Sequence[float], y: float, label: Sequence[str]) -> list[str]:
    last = ends[-1]
    lines = [
        f'<text x="{start + 6:g}" y="{y - 5 - _LINE * (len(label) - 1 - row):g}" font-size="11.5" fill="#1b1b1b" '
        f'stroke="#ffffff" stroke-width="3" paint-order="stroke">{escape(line)}</text>'
        for row, line in enumerate(label)
    ]
    return [
        *lines,
        f'<line x1="{start:g}" y1="{y:g}" x2="{last - 7:g}" y2="{y:g}" stroke="#2471a3" stroke-width="1.6"/>',
        f'<path d="M {last - 8:g} {y - 4.5:g} L {last:g} {y:g} L {last - 8:g} {y + 4.5:g} Z" fill="#2471a3"/>',
        *(f'<circle cx="{end:g}" cy="{y:g}" r="3.6" fill="#2471a3"/>' for end in ends[:-1]),
    ]
