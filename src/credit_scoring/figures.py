"""How every figure speaks: its language, its numbers, and the mark of synthetic data."""

from typing import Literal

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from pydantic import BaseModel, ConfigDict

_SYNTHETIC = {
    "fr": "Données synthétiques : ces résultats ne disent rien de clients réels.",
    "en": "Synthetic data: these results say nothing about real clients.",
}


class FigureOptions(BaseModel):
    """What all figures of a run share.

    Attributes:
        language: Language of titles, axes and legends.
        source: Data source of the run; `synthetic` is written into each figure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["fr", "en"] = "fr"
    source: str

    def number(self, text: str) -> str:
        """Write a number formatted the Python way in the figure's language, with a true minus sign.

        Examples:
            >>> FigureOptions(language="fr", source="synthetic").number("1,234.5") == "1\u202f234,5"
            True
        """
        text = text.replace("-", "−")
        return text.replace(",", "\u202f").replace(".", ",") if self.language == "fr" else text

    def percent(self, share: float, digits: int = 1) -> str:
        """Write a share as a percentage, with the French space before the sign where it belongs."""
        return self.number(f"{100 * share:.{digits}f}") + ("\u202f%" if self.language == "fr" else "%")

    def axis(self, pattern: str = "{:g}") -> FuncFormatter:
        """Return a tick formatter in the figure's language."""
        return FuncFormatter(lambda value, _: self.number(pattern.format(value)))

    def percent_axis(self) -> FuncFormatter:
        """Return a tick formatter of shares."""
        return FuncFormatter(lambda value, _: self.percent(value, 0))

    def mark_source(self, figure: Figure) -> None:
        """Write into the figure that its data are synthetic, if they are."""
        if self.source == "synthetic":
            figure.text(0.995, 0.004, _SYNTHETIC[self.language], ha="right", va="bottom", fontsize=7.5, color="#8a6d00")
