"""Templates of the desk's pages, and the files that they refer to."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from credit_scoring.desk.settings import DeskSettings
from credit_scoring.features.categories import category_label

if TYPE_CHECKING:
    from credit_scoring.desk.gate import Visit

_ASSETS = Path(__file__).parent / "assets"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Pages:
    """Renders pages, and serves their few files under names that hold their digest.

    Args:
        settings: How the desk runs.
    """

    def __init__(self, settings: DeskSettings) -> None:
        self._files: dict[str, tuple[bytes, str]] = {}
        names: dict[str, str] = {}
        for path in sorted(_ASSETS.iterdir()):
            content = path.read_bytes()
            name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
            self._files[name] = (content, _TYPES[path.suffix])
            names[path.name] = f"/assets/{name}"
        self._templates = Environment(
            loader=PackageLoader("credit_scoring.desk"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.globals |= {
            "assets": names,
            "lender": settings.lender,
            "synthetic": settings.source == "synthetic",
            "category": category_label,
        }

    def render(self, visit: "Visit", template: str, status: int = 200, **values: Any) -> Response:
        """Return a page in the language of the visit."""
        texts, url = visit.texts, visit.request.url
        here = f"{url.path}?{url.query}" if url.query else url.path
        if visit.request.method == "POST":  # what takes a form is no page to come back to
            client = visit.request.path_params.get("client")
            here = "/sign-in" if client is None else f"/applications/{client}"
        content = self._templates.get_template(f"{template}.html.jinja").render(
            session=visit.session,
            form_token=visit.form_token,
            path=url.path,
            here=here,
            language=texts.language,
            say=texts.say,
            number=texts.number,
            percent=texts.percent,
            moment=write_moment,
            **values,
        )
        return HTMLResponse(content, status)

    def asset(self, request: Request) -> Response:
        """Return a file that pages refer to; what has its name never changes."""
        name = request.path_params["name"]
        if name not in self._files:
            return Response(status_code=404)
        content, kind = self._files[name]
        tag = f'"{name}"'
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)


def write_moment(time: str) -> str:
    """Write a time of the decision log, which is UTC, in the zone of this machine, to the minute."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")
