"""How every figure speaks: its language, its numbers, and the mark of synthetic data."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from credit_scoring.texts import DEFAULT_LANGUAGE, Language, Texts, texts_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter
else:  # a start takes half a second less: what is drawn with is imported when it is drawn
    Axes = Figure = FuncFormatter = Any


def new_figure(**options: Any) -> Figure:
    """Return an empty figure, see `matplotlib.figure.Figure`."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

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

    def mark_source(self, figure: Figure) -> None:
        """Write into the figure that its data are synthetic, if they are."""
        if self.source == "synthetic":
            text = self.say("figure.synthetic")
            figure.text(0.995, 0.004, text, ha="right", va="bottom", fontsize=7.5, color="#8a6d00")
