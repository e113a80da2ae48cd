"""The page of damaged inputs is that of the tables."""

from tools.damaged_inputs import TARGET, write_page


def test_the_page_is_that_of_the_tables() -> None:
    """Mended by `python -m tools.damaged_inputs`."""
    assert TARGET.read_text(encoding="utf-8") == write_page()
