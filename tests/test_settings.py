"""What the configuration asks the settings."""

import pytest

from credit_scoring.settings import name_population_folder


def test_a_batch_has_a_folder_below_that_of_its_source() -> None:
    assert name_population_folder(None, "synthetic") == "synthetic"
    assert name_population_folder("november", "home_credit") == "home_credit/november"
    assert name_population_folder(2026, "home_credit") == "home_credit/2026"


@pytest.mark.parametrize("batch", ["../home_credit", "/tmp", "a/b", "", ".hidden", "-x"])
def test_a_batch_never_leaves_the_folder_of_its_source(batch: str) -> None:
    with pytest.raises(ValueError, match="Hint: --params batch=2026-11"):
        name_population_folder(batch, "synthetic")
