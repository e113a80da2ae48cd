"""How every figure looks and speaks: colours and style, its language, its numbers, the mark of synthetic data."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from credit_scoring.texts import DEFAULT_LANGUAGE, Language, Texts, texts_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter
else:  # a start takes half a second less: what is drawn with is imported when it is drawn
    Axes = Figure = FuncFormatter = Any


PALETTE: Mapping[str, str] = json.loads(Path(__file__).with_name("palette.json").read_text(encoding="utf-8"))
"""Role -> colour, of figures, reports and pages alike.

`main` (repaid, training, for the client), `second` (defaulted, hold-out, against the client), `chosen` (champion,
threshold) and `neutral` can be told apart by the colour-blind.
"""

_STYLE: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "figure.titlesize": 12,
    "figure.autolayout": False,  # `finish` lays out, whatever a user's own settings of Matplotlib say
    "figure.constrained_layout.use": False,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_NOTE_LINE = 0.155
"""Inches of a line of the note below a figure."""


def use_style() -> None:
    """Let what is drawn from now on look like every figure of the project."""
    from matplotlib import style  # noqa: PLC0415 - see above

    style.use(_STYLE)


def new_figure(**options: Any) -> Figure:
    """Return an empty figure in the project's style, see `matplotlib.figure.Figure`."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    use_style()
    return Figure(**options)


def format_ticks(write: Callable[[float], str]) -> FuncFormatter:
    """Return a tick formatter that writes each value."""
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 - see above

    return FuncFormatter(lambda value, _: write(value))


class FigureOptions(BaseModel):
    """What all figures of a run share.

    Attributes:
        language: Language of titles, axes and legends.
        source: Data source of the run; `synthetic` is written into each figure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = DEFAULT_LANGUAGE
    source: str

    @property
    def texts(self) -> Texts:
        """The catalogue of the figure's language."""
        return texts_in(self.language)

    def say(self, key: str, /, **values: Any) -> str:
        """Return a text of the catalogue with its values filled in, see `Texts.say`."""
        return self.texts.say(key, **values)

    def number(self, value: float, spec: str) -> str:
        """Write a number in the figure's language, see `Texts.number`."""
        return self.texts.number(value, spec)

    def percent(self, share: float, digits: int = 1) -> str:
        """Write a share as a percentage."""
        return self.texts.percent(share, digits)

    def axis(self, spec: str = "g") -> FuncFormatter:
        """Return a tick formatter in the figure's language."""
        return format_ticks(lambda value: self.number(value, spec))

    def percent_axis(self) -> FuncFormatter:
        """Return a tick formatter of shares."""
        return self.axis(".0%")

    def points_axis(self) -> FuncFormatter:
        """Return a tick formatter of differences of shares, in percentage points."""
        return format_ticks(lambda value: self.number(100 * value, "g"))

    def finish(self, figure: Figure, title: str = "", note: str = "", like: Figure | None = None) -> Figure:
        """Set a title above and a note below, lay the rest out between them, and mark synthetic data.

        Args:
            figure: The figure.
            title: What stands above.
            note: What stands below.
            like: A finished figure of the same size and labels, to be laid out alike, which takes no time.

        Returns:
            The figure.
        """
        inch = 1 / figure.get_figheight()
        if title:
            figure.suptitle(title, x=0.01, y=1 - 0.1 * inch, ha="left", va="top")
        small: dict[str, Any] = {"va": "bottom", "fontsize": 7.5, "linespacing": 1.25}
        lines = note.count("\n") + 1 if note else 0
        if note:
            figure.text(0.01, 0.2 * inch, note, color=PALETTE["muted"], **small)
        if self.source == "synthetic":
            figure.text(0.995, 0.03 * inch, self.say("figure.synthetic"), ha="right", color=PALETTE["caution"], **small)
        if like is None:
            figure.tight_layout(rect=(0, (0.15 + _NOTE_LINE * lines) * inch, 1, 1))  # which leaves room for the title
        else:
            sides = ("left", "bottom", "right", "top", "wspace")
            figure.subplots_adjust(**{side: getattr(like.subplotpars, side) for side in sides})
        figure.set_layout_engine(None)  # Matplotlib leaves an idle one, and would draw twice for it to save once
        return figure
