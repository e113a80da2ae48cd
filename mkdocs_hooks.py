"""What the site needs from outside docs/: the figures and the report of the last run, at the place the texts name.

What it does without: Mermaid's pictures, whose script it would have to fetch from elsewhere. And what its search finds:
every feature by itself, in English and French.
"""

import json
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_REPORTS = "reports"
_FETCHED = "https://unpkg.com/iframe-worker/shim"
_FEATURE = re.compile(r'^\| `(\w+)`<br><a id="\w+"></a>(.+?)<br>\*(.+?)\* \|', re.MULTILINE)
_ALSO_SAID = {"dette": "endettement", "échéance par rapport au revenu": "taux d'endettement", "retard": "impayé"}
"""Words of a French label -> what else an analyst would look for."""


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


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Let the search run where no server is, by a script of ours in place of one from elsewhere."""
    return output.replace(_FETCHED, "../" * page.url.count("/") + "javascripts/file_worker.js")


def on_post_template(output_content: str, **_: object) -> str:
    """Do the same for the page of what is not found."""
    return output_content.replace(_FETCHED, "javascripts/file_worker.js")


def on_post_build(config: MkDocsConfig) -> None:
    """Add every feature to the index of the search, before the plugin `offline` packs it."""
    path = Path(config.site_dir, "search", "search_index.json")
    index = json.loads(path.read_text(encoding="utf-8"))
    dictionary = Path(config.docs_dir, "feature_dictionary.md").read_text(encoding="utf-8")
    for name, english, french in _FEATURE.findall(dictionary):
        also = [word for part, word in _ALSO_SAID.items() if part in french.lower()]
        text = " · ".join([english, french, *also])
        index["docs"].append({"location": f"feature_dictionary.html#{name}", "title": name, "text": text})
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
