"""Figures look alike, in colours that the colour-blind can tell apart."""

import io
from itertools import combinations
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes

from credit_scoring.figures import PALETTE, FigureOptions, new_figure

SEEN = {
    "all colours": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What is left of linear RGB (Machado, Oliveira, Fernandes 2009, severity 1)."""
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> npt.NDArray[np.float64]:
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CIE L*a*b* of linear RGB: distances are about those that are seen, 2 just so."""
    x, y, z = np.cbrt(TO_XYZ @ np.clip(rgb, 0, 1) / WHITE)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN)
def test_series_can_be_told_apart_by_the_colour_blind(eyes: str) -> None:
    for one, other in combinations(("main", "second", "chosen", "neutral"), 2):
        seen = [lab(SEEN[eyes] @ linear(PALETTE[role])) for role in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 20, (one, other)


def test_words_can_be_read_on_their_ground() -> None:
    def luminance(colour: str) -> float:
        return float(TO_XYZ[1] @ linear(colour))

    for ink, ground in (
        (PALETTE["ink"], "#ffffff"),
        (PALETTE["muted"], "#ffffff"),
        (PALETTE["caution"], PALETTE["caution_ground"]),
        (PALETTE["alarm"], PALETTE["alarm_ground"]),
    ):
        assert (luminance(ground) + 0.05) / (luminance(ink) + 0.05) >= 4.5, (ink, ground)  # WCAG 2.2, AA


@pytest.mark.parametrize("note", ["", "One line.", "Two\nlines."])
def test_title_note_and_mark_stand_clear_of_what_is_drawn(note: str) -> None:
    figure = new_figure(figsize=(6, 3))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_xlabel("x")
    FigureOptions(language="en", source="synthetic").finish(figure, "A title\nof two lines", note)
    figure.draw_without_rendering()
    drawn = axes.get_tightbbox()
    texts = {text.get_text(): text.get_window_extent() for text in (*figure.texts, figure._suptitle)}  # type: ignore[attr-defined]
    assert texts["A title\nof two lines"].y0 >= drawn.y1
    assert texts["Synthetic data: these results say nothing about real customers."].y1 <= drawn.y0
    if note:
        assert texts[note].y1 <= drawn.y0


def test_a_finished_figure_is_drawn_once_to_be_saved_and_looks_as_if_drawn_twice() -> None:
    saved = []
    for idle in (False, True):
        figure = new_figure(figsize=(6, 3))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label="a line")
        axes.legend()
        FigureOptions(language="en", source="synthetic").finish(figure, "A title", "A note.")
        if idle:  # as Matplotlib leaves a figure that was laid out
            figure.set_layout_engine("tight")
            figure.set_layout_engine("none")
        with patch.object(Axes, "draw", autospec=True, side_effect=Axes.draw) as draw:
            figure.savefig(picture := io.BytesIO(), format="raw")
        saved.append((draw.call_count, picture.getvalue()))
    (once, picture), (twice, same) = saved
    assert (once, twice) == (1, 2)
    assert picture == same


@pytest.mark.parametrize("setting", ["figure.autolayout", "figure.constrained_layout.use"])
def test_a_user_who_lets_matplotlib_lay_out_gets_the_same_figure(setting: str) -> None:
    with rc_context({setting: True}):
        figure = new_figure(figsize=(6, 3))
        figure.subplots()
        FigureOptions(language="en", source="synthetic").finish(figure, "A title")
        assert figure.get_layout_engine() is None
