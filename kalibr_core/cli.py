"""`kalibr`: what the ledger knows. Further commands come by the entry points `kalibr.commands`."""

from __future__ import annotations

import sys
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from .ledger import SQLiteLedger
    from .status import GoalStatus, PathStatus

INSTALL = "kalibr's commands need two more packages: pip install 'kalibr-core[cli]'"


COLUMNS = ("share", "calls", "failed", "USD", "s", "state")
LEGEND = (
    "success: how likely a call is to succeed now, by the policy's beliefs (reachable, passing"
    " gate 1, as good as its scores). score: mean of its answers' scores. share: of the last 100"
    " decisions. users: mean of what users did with its answers, from 0 (discarded) to 1 (used as"
    " it is), and of how many signals. calls: attempts, retries"
    " included. USD: in all. s: median of the last calls. state: up, or down and only probed."
)


def main() -> None:
    """Run the command line; without the extra `cli`, say how to get it."""
    try:
        import rich  # noqa: F401  # is it there?
        import typer  # noqa: F401
    except ImportError:
        print(INSTALL, file=sys.stderr)
        raise SystemExit(1) from None
    from .errors import KalibrError

    try:
        make_app()()
    except KalibrError as error:
        print(f"kalibr: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def make_app() -> typer.Typer:
    """The command line with all commands that are installed."""
    from importlib.metadata import entry_points

    import typer

    app = typer.Typer(
        name="kalibr",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # a help text says what it says: [bench] is no markup
        help="What Kalibr has learned.",
    )
    app.command("status")(status)
    app.command("explain")(explain)
    for point in sorted(entry_points(group="kalibr.commands"), key=lambda p: p.name):
        try:
            app.add_typer(point.load(), name=point.name)
        except ImportError as error:
            _add_missing(app, point.name, error)
    return app


def status(goal: str = "", *, ledger: str = "", json: bool = False) -> None:
    """Show goals and paths: belief, share, cost, state, last change.

    --goal: only this one. --ledger: a file; by default KALIBR_LEDGER or .kalibr/kalibr.db.
    """
    from .status import goal_status

    record = _open(ledger)
    goals = record.goals()
    if goal and goal not in goals:
        raise SystemExit(f"kalibr: no goal {goal!r} in {record.file}; there are {goals}")
    found = [
        goal_status(name, (entry for _, entry in record.entries(goal=name)))
        for name in ([goal] if goal else goals)
    ]
    record.close()
    if json:
        _print_json(found)
    else:
        _print_tables(found, str(record.file))


def explain(decision: str, *, ledger: str = "") -> None:
    """Say why a call went where it went, and what became of it.

    DECISION: its id, as in `result.kalibr.id`. --ledger: as for status.
    """
    from .errors import UnknownDecision
    from .explain import explain_entries

    record = _open(ledger)
    entries = [entry for _, entry in record.entries(decision_id=decision)]
    record.close()
    if not entries:
        raise UnknownDecision(decision, hint=f" ({record.file})")
    print(explain_entries(entries))


def _open(ledger: str) -> SQLiteLedger:
    from .errors import LedgerError
    from .ledger import SQLiteLedger, default_location

    file = FilePath(ledger or default_location())
    if not file.exists():
        raise LedgerError(
            f"there is no ledger {file}; it is made by the first Router that runs here, "
            "or name another one with --ledger"
        )
    return SQLiteLedger(file)


def _add_missing(app: typer.Typer, name: str, error: ImportError) -> None:
    """A command whose packages are not installed still says so, rather than not being there."""
    import typer

    def missing() -> None:
        print(
            f"kalibr {name} needs {error.name or 'packages that are not installed'}: "
            f"pip install 'kalibr-core[{name}]'",
            file=sys.stderr,
        )
        raise typer.Exit(1)

    app.command(
        name,
        help=f"Not installed: pip install 'kalibr-core[{name}]'",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(missing)


def _print_json(found: list[GoalStatus]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps([asdict(goal) for goal in found], indent=2))


def _print_tables(found: list[GoalStatus], file: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not found:
        console.print(Text(f"{file} holds no outcomes yet."), soft_wrap=True)
    for goal in found:
        # As Text: in a plain string, a name's own brackets would be markup.
        table = Table(
            title=Text(f"{goal.goal}: {_counted(goal)}"), title_justify="left", box=box.SIMPLE_HEAD
        )
        scored = any(path.score is not None for path in goal.paths)
        used = any(path.users is not None for path in goal.paths)
        extra = [*(["score"] if scored else []), *(["users"] if used else [])]
        table.add_column("path", overflow="fold")
        for name in ("success", *extra, *COLUMNS):
            table.add_column(name, justify="right", no_wrap=True)
        for path in goal.paths:
            told = {
                "score": "" if path.score is None else f"{path.score:.2f}",
                "users": "" if path.users is None else f"{path.users:.2f} ({path.user_signals})",
            }
            table.add_row(
                Text(path.path_id),
                f"{path.success:.3f}",
                *(told[name] for name in extra),
                f"{path.share:.0%}",
                str(path.attempts),
                str(path.failures),
                "unknown" if path.cost_usd is None else f"{path.cost_usd:.3g}",
                "" if path.latency_s is None else f"{path.latency_s:.2f}",
                _state(path),
            )
        console.print(table)
    if found:
        console.print(Text(LEGEND), style="dim")


def _counted(goal: GoalStatus) -> str:
    counted = "1 decision" if goal.decisions == 1 else f"{goal.decisions} decisions"
    if not goal.judged:
        return counted
    cost = "" if goal.judging_usd is None else f" for {goal.judging_usd:.3g} USD"
    return f"{counted}, {goal.judged} judged{cost}"


def _state(path: PathStatus) -> str:
    import time

    state = "down" if path.down else "up"
    return state if path.changed_at is None else f"{state}, {_ago(time.time() - path.changed_at)}"


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"


if __name__ == "__main__":
    main()
