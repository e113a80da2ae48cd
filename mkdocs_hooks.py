"""What the site needs from outside docs/: the figures and the report of the last run, at the place the texts name.

And what it does without: Mermaid's pictures, whose script it would have to fetch from elsewhere.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_REPORTS = "reports"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reports to the site."""
    project = Path(config.config_file_path).parent
    for pattern in ("*.pdf", "figures/*.png"):
        for path in sorted((project / _REPORTS).glob(pattern)):
            name = path.relative_to(project).as_posix()
            files.append(File.generated(config, name, abs_src_path=path.as_posix()))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead links to the reports, which lie beside docs/ in the project, to their place in the site; drop Mermaid."""
    markdown = re.sub(r"```mermaid\n.*?\n```\n", "", markdown, flags=re.DOTALL)
    return markdown.replace(f"](../{_REPORTS}/", f"]({_REPORTS}/")
