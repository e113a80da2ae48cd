"""Serve MLflow's interface for pictures: `python -m credit_scoring.datasets.mlflow_ui PORT SETTINGS`.

The application alone, without the workers and job consumers of `mlflow server`: it starts in seconds. Its page `/start`
lets the browser remember the settings, which close what would cover a picture, and goes on to another page.
"""

import json
import sys
from pathlib import Path


def main(port: int, settings: dict[str, str]) -> None:
    """Serve the store named in the environment, on this machine only, until killed."""
    from mlflow.server import app  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    script = f"""<script>
        for (const [key, value] of Object.entries({json.dumps(settings)})) localStorage.setItem(key, value);
        location.replace("/#" + new URLSearchParams(location.search).get("page"));
    </script>"""
    app.add_url_rule("/start", "start", lambda: script)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
