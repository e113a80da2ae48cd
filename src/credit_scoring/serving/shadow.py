"""A challenger in the shadow of the champion: it scores the same requests after they are answered, and is only counted.

Its code may be of another version than the champion's, and one process imports one version only: it has a process of
its own for each worker, which does this module's `main`, and is told of requests through its standard input.
"""

import asyncio
import dataclasses
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from contextvars import Context
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson

from credit_scoring import garbage
from credit_scoring.decision_log.settings import LogError
from credit_scoring.exported_model.loading import load_decider, use_code_of
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.serving import log, metrics
from credit_scoring.serving.checking import check_model
from credit_scoring.serving.decisions import Decisions
from credit_scoring.serving.front_ends import Answer, Lean
from credit_scoring.serving.parent import die_with_parent
from credit_scoring.serving.recorders import make_recorder
from credit_scoring.serving.requests import RequestError, RequestReader
from credit_scoring.serving.settings import Settings, read_settings

_CANNOT_LOAD = 2
_SECONDS_BETWEEN_STARTS = 2
_NICENESS = 10

logger = logging.getLogger("credit_scoring.serving")


class Shadow:
    """The worker's end: hands requests over as long as the challenger keeps up, and starts it again if it dies.

    Args:
        path: Folder of the challenger.
        max_waiting: Bytes that may wait for the challenger; what comes on top is dropped and counted.
    """

    def __init__(self, path: Path, max_waiting: int) -> None:
        self._path = path
        self._max_waiting = max_waiting
        self._pipe: asyncio.WriteTransport | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the challenger, once; needs the running event loop."""
        if self._task is None:
            # Its lines are not those of the request that happens to be the first
            self._task = asyncio.create_task(self._keep_running(), context=Context())

    def offer(
        self, request_id: str, ids: Sequence[str], path: str, body: bytes, content_type: str, answer: Answer
    ) -> None:
        """Hand an answered request over, with the ids of its decisions if they were recorded, or drop it."""
        pipe = self._pipe
        if pipe is None or pipe.is_closing() or pipe.get_write_buffer_size() + len(body) > self._max_waiting:
            metrics.count_shadow("dropped")
            return
        heading = {
            "id": request_id,
            "ids": ids,
            "path": path,
            "size": len(body),
            "content_type": content_type,
            "probability": answer.probability.tolist(),
            "decisions": answer.decisions.tolist(),
        }
        pipe.write(orjson.dumps(heading) + b"\n")
        pipe.write(body)

    async def _keep_running(self) -> None:
        status: object = None
        while status != _CANNOT_LOAD:
            try:
                status = await self._run_once()
            except OSError as error:  # no memory, no process or no file to be had
                status = type(error).__name__
            metrics.count_shadow_death()
            logger.error("The challenger has ended with status %s; the champion goes on.", status)
            await asyncio.sleep(_SECONDS_BETWEEN_STARTS)

    async def _run_once(self) -> int:
        # Not asyncio's own way to start it: uvloop's would hand down the socket that the server listens on
        command = [sys.executable, "-m", __name__, str(self._path)]
        env = os.environ | {metrics.NAME_VARIABLE: f"{metrics.process_name()}-challenger"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=env, process_group=0)
        self._pipe, end = await asyncio.get_running_loop().connect_write_pipe(_End, process.stdin)
        await end.reached.wait()
        self._pipe = None
        return await asyncio.to_thread(process.wait)


class _End(asyncio.BaseProtocol):
    """Notices that the other end of a pipe is closed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        self.reached.set()


class Challenger:
    """The other end: scores what the champion has answered.

    Args:
        settings: How the server runs.
        path: Folder of the challenger.

    Raises:
        ModelFolderError: If it cannot be served.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        folder = check_model(path, settings.other_versions)
        use_code_of(folder.manifest)
        self._lean = Lean.load(folder)
        self._reader = RequestReader(folder.contract, max_rows=settings.max_rows)
        decider = load_decider(folder.manifest, self._lean.scorer)
        self._decisions = Decisions(decider, settings, folder.identity["manifest_sha256"])
        self._recorder = make_recorder(folder)
        self._without_reasons = folder.contract.parameters
        metrics.show_model("challenger", folder.identity)
        logger.info("The challenger %s is loaded.", folder.identity["model_id"])

    def run(self, requests: BinaryIO) -> None:
        """Score requests until there are no more."""
        while line := requests.readline():
            heading = orjson.loads(line)
            body = requests.read(heading["size"])
            if len(body) < heading["size"]:
                break
            log.request_id.set(heading["id"])
            metrics.count_shadow(self._compare(heading, body))
        if self._recorder:
            self._recorder.close()

    def _answer(self, path: str, body: bytes, content_type: str) -> Answer:
        if path == "/decisions":
            return self._decisions.answer(body, content_type, plain=True)
        rows = self._reader.read(body, content_type)
        return self._lean.answer(dataclasses.replace(rows, params=self._without_reasons))

    def _compare(self, heading: dict[str, Any], body: bytes) -> str:
        try:
            answer = self._answer(heading["path"], body, heading["content_type"])
        except RequestError:
            return "not comparable"
        except Exception as error:
            log.log_defect(error)
            return "failed"
        metrics.count_comparison(
            zip(heading["decisions"], answer.decisions.tolist(), strict=True),
            (answer.probability - np.array(heading["probability"])).tolist(),
        )
        if self._recorder and heading["ids"]:
            self._recorder.note_challenge(heading["ids"], answer)
        return "scored"


def main() -> int:
    """Load the challenger and score what comes in.

    Argument: its folder.

    Returns:
        0 once the worker has gone, 2 if the challenger cannot be loaded.
    """
    log.configure_log()
    die_with_parent(True)
    os.nice(_NICENESS)
    try:
        settings = read_settings()
        challenger = Challenger(settings, Path(sys.argv[1]))
    except (LogError, ModelFolderError) as error:
        logger.error("The challenger cannot be loaded. %s", error)
        return _CANNOT_LOAD
    except Exception:
        logger.exception("The challenger cannot be loaded.")
        return _CANNOT_LOAD
    garbage.settle()
    challenger.run(sys.stdin.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
