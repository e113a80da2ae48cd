"""The history of an applicant by month, as shapes that a template draws."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from credit_scoring.features.categories import category_label
from credit_scoring.texts import Texts

WIDTH, _LEFT, _RIGHT = 720, 8, 8
_DAYS_PER_MONTH = 365.25 / 12
_LEAST_MONTHS, _MOST_MONTHS = 24, 96
_TRACKS, _TRACK, _BARS = 7, 7, 34
_SEVERE_DAYS = 90
_STATES = {"Approved": "approved", "Refused": "declined"}


class Shape(NamedTuple):
    """A rectangle or a mark: its place in the picture, its class, what it says."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


class Lane(NamedTuple):
    """A lane of the timeline: its name, a sentence that says what it shows, and its shapes."""

    name: str
    title: str
    told: str
    y: float
    height: float
    shapes: Sequence[Shape]


class Timeline(NamedTuple):
    """The lanes, and where the years are."""

    lanes: Sequence[Lane]
    years: Sequence[tuple[float, str]]
    height: float


class _Axis:
    """Months before the application -> place in the picture."""

    def __init__(self, months: int) -> None:
        self.months = months
        self.month = (WIDTH - _LEFT - _RIGHT) / months

    def place(self, month: float) -> float:
        return round(_LEFT + (self.months + max(-self.months, min(0.0, month))) * self.month, 1)


def draw_timeline(tables: Mapping[str, Any], texts: Texts) -> Timeline:
    """Lay out credits elsewhere, earlier applications, late payments and the use of cards."""
    axis = _Axis(_span(tables))
    lanes: list[Lane] = []
    y = 0.0
    for name, draw in (
        ("credits", _credits),
        ("applications", _applications),
        ("payments", _payments),
        ("cards", _cards),
    ):
        told, height, shapes = draw(tables, axis, texts)
        y += 20
        moved = [shape._replace(y=round(shape.y + y, 1)) for shape in shapes]
        lanes.append(Lane(name, texts.say(f"desk.lane.name.{name}"), told, y, height, moved))
        y += height
    step = 12 if axis.months <= 60 else 24
    years = [
        (axis.place(-month), texts.say("desk.lane.ago", n=month // 12)) for month in range(step, axis.months + 1, step)
    ]
    return Timeline(lanes, years, y + 22)


def _span(tables: Mapping[str, Any]) -> int:
    days = [row.get("DAYS_CREDIT") for row in tables.get("bureau") or ()]
    days += [row.get("DAYS_DECISION") for row in tables.get("previous_application") or ()]
    oldest = max((-day / _DAYS_PER_MONTH for day in days if day is not None), default=0)
    return int(max(_LEAST_MONTHS, min(_MOST_MONTHS, 12 * math.ceil(oldest / 12))))


_Drawn = tuple[str, float, Sequence[Shape]]


def _credits(tables: Mapping[str, Any], axis: _Axis, texts: Texts) -> _Drawn:
    """Draw a bar from the beginning of each credit to its end, in as few tracks as they need."""
    rows = sorted(tables.get("bureau") or (), key=lambda row: row["DAYS_CREDIT"] or 0)
    if not rows:
        return texts.say("desk.lane.no_credits"), _TRACK, ()
    ends: list[float] = []
    shapes = []
    for row in rows:
        begin = (row["DAYS_CREDIT"] or 0) / _DAYS_PER_MONTH
        is_open = row.get("CREDIT_ACTIVE") != "Closed"
        last = (
            row.get("DAYS_ENDDATE_FACT") if row.get("DAYS_ENDDATE_FACT") is not None else row.get("DAYS_CREDIT_ENDDATE")
        )
        end = 0.0 if is_open or last is None else min(0.0, last / _DAYS_PER_MONTH)
        x, width = axis.place(begin), max(2.0, round(axis.place(end) - axis.place(begin), 1))
        track = next((i for i, taken in enumerate(ends) if taken < x), len(ends))
        if track >= _TRACKS:
            track = min(range(_TRACKS), key=ends.__getitem__)  # it covers another, as there are too many
        ends[track : track + 1] = [x + width + 1]
        overdue = (row.get("AMT_CREDIT_SUM_OVERDUE") or 0) > 0 or (row.get("CREDIT_DAY_OVERDUE") or 0) > 0
        kind = "overdue" if overdue else "open" if is_open else "closed"
        title = texts.say(f"desk.lane.credit.{kind}", amount=row.get("AMT_CREDIT_SUM") or math.nan)
        shapes.append(Shape(x, track * _TRACK, width, _TRACK - 2, kind, title))
    told = texts.say(
        "desk.lane.credits_told",
        n=len(shapes),
        open=sum(shape.kind != "closed" for shape in shapes),
        overdue=sum(shape.kind == "overdue" for shape in shapes),
    )
    return told, _TRACK * len(ends), shapes


def _applications(tables: Mapping[str, Any], axis: _Axis, texts: Texts) -> _Drawn:
    rows = [row for row in tables.get("previous_application") or () if row.get("DAYS_DECISION") is not None]
    if not rows:
        return texts.say("desk.lane.no_applications"), 12, ()
    shapes = []
    for row in rows:
        status = row.get("NAME_CONTRACT_STATUS") or ""
        title = texts.say(
            "desk.lane.application",
            status=category_label(status, texts.language),
            amount=row.get("AMT_APPLICATION") or math.nan,
        )
        place = axis.place(row["DAYS_DECISION"] / _DAYS_PER_MONTH)
        shapes.append(Shape(place, 6, 0, 0, _STATES.get(status, "other"), title))
    kinds = [shape.kind for shape in shapes]
    told = texts.say(
        "desk.lane.applications_told",
        n=len(kinds),
        approved=kinds.count("approved"),
        declined=kinds.count("declined"),
    )
    return told, 12, shapes


def _payments(tables: Mapping[str, Any], axis: _Axis, texts: Texts) -> _Drawn:
    """Draw by month by how many days the latest payment was late; a month that was on time is a dot on the line."""
    late: dict[int, float] = defaultdict(float)
    for row in tables.get("installments_payments") or ():
        due, paid = row.get("DAYS_INSTALMENT"), row.get("DAYS_ENTRY_PAYMENT")
        if due is not None and -axis.months <= due / _DAYS_PER_MONTH:
            month = math.floor(due / _DAYS_PER_MONTH)
            late[month] = max(late[month], 0.0 if paid is None else paid - due)
    if not late:
        return texts.say("desk.lane.no_payments"), 12, ()

    def bars() -> Iterator[Shape]:
        for month, days in sorted(late.items()):
            share = math.log1p(min(days, _SEVERE_DAYS)) / math.log1p(_SEVERE_DAYS)
            title = texts.say("desk.lane.late", n=round(days), months=-month)
            yield _bar(axis, month, max(share, 0.05), "late" if days > 0 else "on_time", title)

    months = sum(days > 0 for days in late.values())
    if months:
        told = texts.say("desk.lane.payments_told", n=months, months=len(late), most=max(late.values()))
    else:
        told = texts.say("desk.lane.on_time", n=len(late))
    return told, _BARS, list(bars())


def _cards(tables: Mapping[str, Any], axis: _Axis, texts: Texts) -> _Drawn:
    """Draw by month the share of the limits of all cards that is used."""
    balance: dict[int, float] = defaultdict(float)
    limit: dict[int, float] = defaultdict(float)
    for row in tables.get("credit_card_balance") or ():
        if -row["MONTHS_BALANCE"] <= axis.months:
            balance[row["MONTHS_BALANCE"]] += row.get("AMT_BALANCE") or 0
            limit[row["MONTHS_BALANCE"]] += row.get("AMT_CREDIT_LIMIT_ACTUAL") or 0
    used = {month: max(0.0, balance[month] / most) for month, most in limit.items() if most > 0}
    if not used:
        return texts.say("desk.lane.no_cards"), 12, ()
    shapes = [
        _bar(
            axis,
            month,
            max(min(share, 1.0), 0.03),
            "over" if share > 1 else "used",
            texts.say("desk.lane.use", share=share, months=-month),
        )
        for month, share in sorted(used.items())
    ]
    told = texts.say("desk.lane.cards_told", latest=used[max(used)], most=max(used.values()))
    return told, _BARS, shapes


def _bar(axis: _Axis, month: int, share: float, kind: str, title: str) -> Shape:
    height = round(share * _BARS, 1)
    return Shape(axis.place(month), round(_BARS - height, 1), max(1.5, round(axis.month - 1, 1)), height, kind, title)
