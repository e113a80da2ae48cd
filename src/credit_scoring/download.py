"""Fetch the official files from Kaggle: `python -m credit_scoring.download`.

Nobody may hand these files on, so everyone fetches them for themselves: with an account, a token, and the competition's
rules accepted. The Kaggle client does the talking; this module checks what came and puts it into place.
"""

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from click import ClickException

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.errors import DataContractError, DownloadError
from credit_scoring.schemas.raw import OFFICIAL_TABLES, RawTable

COMPETITION = "home-credit-default-risk"
SPACE_NEEDED = 3_500_000_000
"""Bytes: 2.7 GB of files, and the archive of 0.7 GB until they are out of it."""
_FOLDER = Path("data/01_raw/home_credit")  # where conf/kaggle looks for them
_CLIENT = ("kaggle>=2,<3", "six")  # kaggle 2.2 uses six without asking for it; python-dateutil 4 brings it no more
_BLOCK = 1 << 20
_SITE = f"https://www.kaggle.com/competitions/{COMPETITION}"
_BY_HAND = f"Or download the archive from {_SITE}/data in a browser and unzip it into the folder."
_REASONS = (
    # What the client says, what it means, what to do about it.
    (
        ("authentication required", "401 client error", "unauthorized", "you must authenticate"),
        "Kaggle knows no token of yours",
        "make a token at https://www.kaggle.com/settings/api and put it into the variable KAGGLE_API_TOKEN or the file "
        "~/.kaggle/access_token (an older kaggle.json does as well)",
    ),
    (
        ("403 client error", "forbidden"),
        "Kaggle refuses access (HTTP 403), as it does until the competition's rules are accepted",
        f"open {_SITE}/rules, accept the rules with the account of the token, and try again",
    ),
    (
        ("max retries", "name resolution", "failed to resolve", "connection", "timed out", "dns error", "proxy"),
        "Kaggle cannot be reached",
        "check the network (and the variable HTTPS_PROXY behind a proxy); a download that broke off goes on where it "
        "stopped",
    ),
    (
        ("no space left",),
        "the disk is full",
        f"{SPACE_NEEDED / 1e9:.1f} GB are needed; name a folder on another disk with --folder",
    ),
)


def download_files(folder: Path, client: Sequence[str]) -> list[str]:
    """Fetch the official files that a folder does not have yet; those that are there are neither read nor replaced.

    Archive and files lie aside, in a hidden folder, until every one of them has the columns, the number of rows and the
    size that are published. After a failure the archive stays, so that the client goes on where it stopped.

    Args:
        folder: Where the files belong.
        client: The command of the Kaggle client, without arguments.

    Returns:
        Names of the files that were put into the folder; none if it had them all.

    Raises:
        DownloadError: If there is too little space, no token, the rules are not accepted, or Kaggle is out of reach.
        DataContractError: If what came is not the official files; with every difference. Nothing is put into place.
    """
    missing = [table for table in OFFICIAL_TABLES.values() if not _is_there(folder, table)]
    if not missing:
        return []
    aside = folder / ".download"
    aside.mkdir(parents=True, exist_ok=True)
    archive = aside / f"{COMPETITION}.zip"
    _check_space(folder, already=archive.stat().st_size if archive.exists() else 0)
    _run([*client, "competitions", "download", "-c", COMPETITION, "-p", str(aside)])
    problems = _extract(archive, missing, aside)
    if problems:
        archive.unlink(missing_ok=True)
        raise DataContractError(
            f"Files from {_SITE}",
            problems,
            f"try again; the archive was removed and nothing was put into {folder}. {_BY_HAND}",
        )
    for table in missing:
        (aside / _name(table)).rename(folder / _name(table))
    shutil.rmtree(aside)
    return [_name(table) for table in missing]


def _is_there(folder: Path, table: RawTable) -> bool:
    return any((folder / f"{_name(table)}{ending}").exists() for ending in ("", ".gz"))


def _name(table: RawTable) -> str:
    return f"{table.name}.csv"


def _check_space(folder: Path, already: int) -> None:
    free = shutil.disk_usage(folder).free
    if free + already < SPACE_NEEDED:
        raise DownloadError(
            f"{SPACE_NEEDED / 1e9:.1f} GB of disk space are needed, {free / 1e9:.1f} GB are free in {folder}",
            "make room, or name a folder on another disk with --folder and run with `--params raw_folder=...`",
        )


def _run(command: Sequence[str]) -> None:
    """Run the client, show what it says as it says it, and translate its failures."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError as error:
        raise DownloadError(
            f"there is no command {command[0]}", f"pip install '{_CLIENT[0]}' {_CLIENT[1]}. {_BY_HAND}"
        ) from error
    said = b""
    with process:
        while process.stdout is not None and (block := os.read(process.stdout.fileno(), 4096)):
            sys.stderr.buffer.write(block)
            sys.stderr.flush()
            said = (said + block)[-20_000:]
    if process.returncode:
        raise _explain(said.decode(errors="replace"), process.returncode)


def _explain(said: str, code: int) -> DownloadError:
    for signs, reason, hint in _REASONS:
        if any(sign in said.lower() for sign in signs):
            return DownloadError(reason, f"{hint}. {_BY_HAND}")
    last = (said.strip().splitlines() or ["nothing"])[-1]
    return DownloadError(f"the Kaggle client ended with code {code} and said {last!r}", _BY_HAND)


def _extract(archive: Path, tables: Sequence[RawTable], aside: Path) -> list[str]:
    """Take the files out of the archive and compare them with what is published; return what is different."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {Path(member.filename).name: member for member in opened.infolist()}
            problems = []
            for table in tables:
                member = members.get(_name(table))
                if member is None:
                    problems.append(f"{_name(table)}: expected a file in the archive; found none.")
                    continue
                with opened.open(member) as source, (aside / _name(table)).open("wb") as target:
                    header, rows = source.readline(), 0
                    target.write(header)
                    last = b"\n"
                    while block := source.read(_BLOCK):
                        target.write(block)
                        rows += block.count(b"\n")
                        last = block[-1:]
                problems += _compare(table, header, rows + (last != b"\n"), member.file_size)
            return problems
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, OSError) and "space" in str(error):
            raise _explain(str(error), 0) from error
        return [f"{archive.name}: expected a complete zip archive; found {error}."]


def _compare(table: RawTable, header: bytes, n_rows: int, n_bytes: int) -> list[str]:
    """Compare a file with its contract. No field of the official files holds a line break, so a line is a row."""
    names = [name.strip('"') for name in header.decode("utf-8-sig", errors="replace").strip().split(",")]
    problems = []
    if sorted(names) != sorted(table.columns):
        problems.append(f"{_name(table)}: expected its {len(table.columns)} columns; found {','.join(names)[:80]!r}.")
    if n_rows != table.official_rows:
        problems.append(f"{_name(table)}: expected {table.official_rows:,} rows, as published; found {n_rows:,}.")
    if not problems and n_bytes != table.official_bytes:  # the same many rows, but of other content
        problems.append(f"{_name(table)}: expected {table.official_bytes:,} bytes, as published; found {n_bytes:,}.")
    return problems


def _find_client() -> list[str]:
    """Return the command of an installed client, or one that fetches it for this once."""
    package, needed = _CLIENT
    once = ["uvx", "--quiet", "--from", package, "--with", needed, "kaggle"]
    return ["kaggle"] if shutil.which("kaggle") or not shutil.which("uvx") else once


def main() -> None:
    """Fetch the files into a folder, or say plainly what is in the way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the files belong")
    folder = parser.parse_args().folder
    try:
        made = download_files(folder, _find_client())
    except ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    told = (
        f"{len(made)} files, each with the published size and number of rows" if made else "all eight files were there"
    )
    sys.stdout.write(f"{folder}: {told}.\nNext: kedro run --env kaggle\n")


if __name__ == "__main__":
    main()
