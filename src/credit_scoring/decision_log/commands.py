"""`credit-scoring decisions …`: the decision log on the command line."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.decision_log import chain
from credit_scoring.decision_log.log import EVENTS, GRANTED, OFFICER, REFUSED, DecisionLog, Filter, Record
from credit_scoring.decision_log.settings import MOST_DAYS, LogError, read_log_settings
from credit_scoring.decision_log.tables import connect, upgrade

_BY = click.option("--by", "actor", required=True, help="who does it")
_FOLDER = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MODEL = click.option("--model", type=_FOLDER, default=Path("model"), help="folder of the exported model (model)")
_SINCE = click.option("--since", help="from this time on, ISO 8601, or a day or month; UTC")
_WORDS = {
    "agreed": "agree",
    "overridden": "override",
    "reviewed": "review",
    "examination_requested": "request-examination",
    "examination_closed": "close-examination",
    "letter_sent": "letter",
}
"""Kind of record -> command that adds it."""
# What is said in `facts`, which stays for good; all else that people say may be erased
_FACTS = ("letter", "medium")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def decisions() -> None:
    """Find, check, replay and learn from recorded decisions; DECISION_LOG_URL names the database."""


@decisions.command()
@click.option("--anchors", type=_FILE, help="lines that `anchors` printed")
def verify(anchors: Path | None) -> None:
    """Walk the chain and name the first record that was altered, removed or inserted (status 1)."""
    try:
        lines = anchors.read_text(encoding="utf-8").splitlines() if anchors else []
        known = {int(sequence): digest for _, sequence, digest in (line.split() for line in lines if line.strip())}
    except ValueError:
        raise LogError(
            f"{anchors} does not hold anchors alone, a line for each: day, sequence, digest.\n"
            "Hint: keep what `credit-scoring decisions anchors` prints."
        ) from None
    found = chain.verify(DecisionLog().engine, known)
    erased = f"; the personal data of {found.n_erased:,} were erased, as is on record" if found.n_erased else ""
    click.echo(f"{found.n_records:,} records are in order, the last has the digest {found.head}{erased}.")
    if found.problem:
        raise LogError(f"{found.problem}\nHint: compare with a backup; what follows cannot be relied on.")


@decisions.command()
def anchors() -> None:
    """Print of each day the last record and its digest, to be kept elsewhere."""
    for day, sequence, digest in chain.daily_anchors(DecisionLog().engine):
        click.echo(f"{day} {sequence} {digest}")


@decisions.command()
@click.argument("decision_id")
def show(decision_id: str) -> None:
    """Print a decision and all that was added to it, as JSON."""
    found = DecisionLog().read(decision_id)
    told = _tell(found) | {"final_decision": found.final_decision, "waiting": found.is_waiting}
    click.echo(json.dumps(told | {"events": [_tell(event) for event in found.events]}, indent=1, ensure_ascii=False))


@decisions.command()
@click.option("--applicant", help="about whom")
@click.option("--decision", type=click.Choice(["granted", "refused", "review"]), help="the model's")
@click.option("--digest", "model", help="of the model's manifest, or its beginning")
@click.option("--channel", help="decisions, invocations or batch")
@click.option("--request", help="id of the request")
@_SINCE
@click.option("--until", help="before this time")
@click.option("--waiting/--decided", default=None, help="whether a person has to decide")
@click.option("--limit", default=50, show_default=True)
@click.option("--after", help="what the last line names, for the next ones")
def find(limit: int, after: str | None, **asked: Any) -> None:
    """List decisions: those that wait for a person first, then the newest first."""
    page = DecisionLog().queue(Filter(**asked), after, limit)
    for found in page.records:
        probability = "-" if found.probability is None else f"{found.probability:.4f}"
        told = (found.final_decision, probability, found.channel, found.applicant or "-")
        state = "waiting" if found.is_waiting else "erased" if found.is_erased else ""
        click.echo(" ".join([found.id, found.time, *told, state]).rstrip())
    if page.next:
        click.echo(f"Next: --after {page.next}", err=True)


def _make_event(kind: str, word: str) -> None:
    rule = EVENTS[kind]

    def add(decision_id: str, actor: str, expected: str | None, **said: str | None) -> None:
        facts = {name: said[name] for name in _FACTS if said.get(name)}
        content = {name: value for name, value in said.items() if value and name not in (*_FACTS, "decision", "role")}
        found = DecisionLog().append(
            decision_id,
            kind,
            actor=actor,
            role=said.get("role") or rule.roles[0],
            expected=expected,
            decision=said.get("decision"),
            facts=facts,
            content=content,
        )
        click.echo(f"{found.events[-1].id}: {kind}; what holds is {found.final_decision}.")

    options = [click.argument("decision_id"), _BY, click.option("--expected", help="last record that you know of")]
    if len(rule.roles) > 1:
        options.append(click.option("--role", type=click.Choice(list(rule.roles)), default=rule.roles[0]))
    if rule.decides:
        options.append(click.option("--decision", type=click.Choice([GRANTED, REFUSED]), required=True))
    options += [click.option(f"--{name}", required=True) for name in rule.needs]
    if "letter" in rule.needs:
        options.append(click.option("--medium", help="how it was sent"))
    if not rule.needs:
        options.append(click.option("--reason"))
    for option in reversed(options):
        add = option(add)
    decisions.command(word, help=f"Add a record to a decision: {kind.replace('_', ' ')}.")(add)


for _kind, _word in _WORDS.items():
    _make_event(_kind, _word)


@decisions.command()
@click.option("--applicant", help="of whom")
@click.option("--before", help="of decisions before this time, ISO 8601 or a day; UTC")
@click.option("--why", required=True, help="stays on record: nothing personal")
@_BY
def erase(applicant: str | None, before: str | None, why: str, actor: str) -> None:
    """Erase personal data of decisions; the chain stays whole and says what was erased, when and why."""
    erased = DecisionLog().erase(why=why, actor=actor, role=OFFICER, applicant=applicant, before=before)
    click.echo(f"Personal data of {len(erased):,} decisions were erased.")


@decisions.command()
@click.option("--days", type=click.IntRange(1, MOST_DAYS), help="age; DECISION_LOG_RETENTION_DAYS without")
def retain(days: int | None) -> None:
    """Erase personal data older than the time of retention."""
    kept = days or read_log_settings().retention_days
    if not kept:
        raise LogError("No time of retention is set.\nHint: DECISION_LOG_RETENTION_DAYS, or --days.")
    click.echo(f"Personal data of {len(DecisionLog().retain(kept, 'retention')):,} decisions were erased.")


@decisions.command()
@click.argument("decision_id", required=False)
@click.option("--all", "everything", is_flag=True, help="every decision, instead of one")
@_SINCE
@_MODEL
@click.option("--env", help="environment of the configuration whose registry has models that are not in the folder")
def replay(decision_id: str | None, everything: bool, since: str | None, model: Path, env: str | None) -> None:
    """Score recorded input again with the model of the record, and compare to the last bit (status 1 if it differs)."""
    from credit_scoring.decision_log import replaying  # noqa: PLC0415

    if bool(decision_id) == everything:
        raise LogError("Expected the id of a decision, or --all.\nHint: `decisions find` lists ids.")
    found = replaying.replay(DecisionLog(), decision_id, since=since, find_model=replaying.finder(model, env))
    for one, differing in found.different.items():
        for name, (then, now) in differing.items():
            click.echo(f"{one}: {name} was {then!r}, is {now!r}")
    for one, problem in found.failed.items():
        click.echo(f"{one}: {problem}")
    click.echo(
        f"{found.same:,} decisions are the same to the last bit, {len(found.different):,} differ, "
        f"{len(found.failed):,} could not be scored again, of {found.erased:,} the input was erased."
    )
    if found.different or found.failed:
        raise LogError("Not every decision can be replayed.\nHint: see the lines above.")


@decisions.command()
@click.argument("file", type=_FILE)
@_BY
def outcomes(file: Path, actor: str) -> None:
    """Record what became of loans: a CSV file with id, outcome (repaid or defaulted), date."""
    from credit_scoring.decision_log.outcomes import record_outcomes  # noqa: PLC0415

    click.echo(f"{record_outcomes(DecisionLog(), file, actor):,} outcomes were recorded.")


@decisions.command()
@_SINCE
@click.option("--false-negative", default=10.0, show_default=True, help="cost of a bad loan approved")
@click.option("--false-positive", default=1.0, show_default=True, help="cost of a good customer declined")
def report(since: str | None, false_negative: float, false_positive: float) -> None:
    """Print what became of decisions, what is to be expected of them, and how they change from week to week."""
    from credit_scoring.decision_log import outcomes, watching  # noqa: PLC0415
    from credit_scoring.metrics.cost import MisclassificationCosts  # noqa: PLC0415

    log, costs = DecisionLog(), MisclassificationCosts(false_negative=false_negative, false_positive=false_positive)
    table = outcomes.read_decisions(log, since)
    for title, shown in (
        ("Realised, of decisions whose outcome is known", outcomes.measure_outcomes(table, costs)),
        ("Expected, if probabilities still mean what they say", outcomes.expect_outcomes(table, costs)),
        ("By week", watching.measure_weeks(table)),
        ("Principal reason against applicants", watching.count_reasons(log, since)),
        ("Challengers in the shadow", outcomes.compare_challengers(log, table, costs)),
    ):
        told = shown.to_string(index=False, float_format="{:.4f}".format) if len(shown) else "none"
        click.echo(f"{title}\n{told}\n")


@decisions.command("export-training")
@click.argument("folder", type=_FOLDER)
def export_training(folder: Path) -> None:
    """Write decisions with outcomes as raw files, and which of them a person has decided."""
    from credit_scoring.decision_log.outcomes import export_training as export  # noqa: PLC0415

    click.echo(f"{export(DecisionLog(), folder):,} applicants were written to {folder}.")


@decisions.command("upgrade")
def upgrade_tables() -> None:
    """Bring the tables to this version of the project."""
    settings = read_log_settings()
    upgrade(connect(settings.address, settings.timeout))
    click.echo("The tables are those of this version.")


def _tell(record: Record) -> dict[str, Any]:
    told = {name: value for name, value in asdict(record)["values"].items() if value not in (None, [], {})}
    beside: Mapping[str, Any] = {"applicant": record.applicant, "content": record.content}
    return told | {name: value for name, value in beside.items() if value is not None}


def main(arguments: list[str]) -> int:
    """Run a command.

    Returns:
        0; 1 if something is not in order; 2 if the command is none.
    """
    try:
        decisions.main(arguments, prog_name="credit-scoring decisions", standalone_mode=False)
    except LogError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (SQLAlchemyError, OSError) as error:
        # What SQLAlchemy says repeats what was asked or to be written, which is personal
        said = str(getattr(error, "orig", None) or (error if isinstance(error, OSError) else type(error).__name__))
        hint = "Hint: is the database, or the file, still there, and yours to use?"
        sys.stderr.write(f"The command cannot be carried out: {said.strip().partition(chr(10))[0]}.\n{hint}\n")
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
