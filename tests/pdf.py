"""What stands in a PDF file."""

from pathlib import Path

from pypdfium2 import PdfDocument


def read_pages(pdf: bytes | Path) -> list[str]:
    """Return the text of each page."""
    return [page.get_textpage().get_text_range() for page in PdfDocument(pdf)]
