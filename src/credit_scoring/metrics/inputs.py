"""What every measure asks of its inputs: that nothing is missing."""

import numpy as np
import numpy.typing as npt


def known(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """Return values as an array of numbers; one that is missing is an error, not a number to be sorted or counted.

    Args:
        values: Numbers or truth values.
        name: What they are, in the plural.

    Raises:
        ValueError: If some are NaN; says how many.
    """
    numbers = np.asarray(values, dtype=float)
    if missing := int(np.isnan(numbers).sum()):
        raise ValueError(
            f"{missing:,} of {numbers.size:,} {name} are NaN.\nHint: a measure needs all of them; drop those rows on "
            "purpose, or find out why they have none."
        )
    return numbers
