"""`kalibr`: what the ledger knows. Further commands come by the entry points `kalibr.commands`."""

from __future__ import annotations

import sys
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from .installing import command

if TYPE_CHECKING:
    import typer
    from rich.console import Console
    from rich.table import Table

    from .ledger import SQLiteLedger
    from .status import GoalStatus, PathStatus

INSTALL = f"kalibr's commands need two more packages: {command('cli')}"


COLUMNS = {
    "success": "how likely a call is to succeed now, by the policy's beliefs (reachable, passing"
    " gate 1, as good as its scores, and liked by its users)",
    "score": "mean of its answers' scores",
    "users": "mean of what users did with its answers, from 0 (discarded) to 1 (used as it is),"
    " and of how many signals",
    "share": "of the last 100 decisions",
    "calls": "attempts, retries included",
    "failed": "how many of these failed",
    "USD": "in all",
    "s": "median of the last calls",
    "state": "up, or down and only probed",
}
"""What stands beside a path, and what it means."""
DROPPED = ("s", "failed", "calls", "state", "USD", "share", "users", "score")
"""What a narrow terminal goes without, the first one first."""
PATH = 40
"""Characters that a path's name has for certain; a longer one may go on in the next line."""
NO_LIMIT, LEGEND = 10_000, 100
"""Widths of a table that no terminal shows, and of the text below it."""


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
        raise UnknownDecision(decision, place=record.file)
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
            + command(name),
            file=sys.stderr,
        )
        raise typer.Exit(1)

    app.command(
        name,
        help=f"Not installed: {command(name)}",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(missing)


def _print_json(found: list[GoalStatus]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps([asdict(goal) for goal in found], indent=2))


def _print_tables(found: list[GoalStatus], file: str) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = NO_LIMIT  # what is piped is searched and cut by others
    print_tables(found, file, console)


def print_tables(found: list[GoalStatus], file: str, console: Console) -> None:
    """A table for each goal, as wide as the console, and what its columns mean."""
    from rich.text import Text

    if not found:
        console.print(Text(f"{file} holds no outcomes yet."), soft_wrap=True)
        return
    shown: set[str] = set()
    for goal in found:
        table, names = _fitting(goal, console)
        console.print(table)
        shown.update(names)
    told = " ".join(f"{name}: {COLUMNS[name]}." for name in COLUMNS if name in shown)
    console.print(Text(told), style="dim", width=min(console.width, LEGEND))


def _fitting(goal: GoalStatus, console: Console) -> tuple[Table, list[str]]:
    """The table with as many columns as there is room for beside the paths, and their names."""
    from rich.cells import cell_len

    has = {
        "score": any(path.score is not None for path in goal.paths),
        "users": any(path.users is not None for path in goal.paths),
    }
    names = [name for name in COLUMNS if has.get(name, True)]
    longest = max(cell_len(path.path_id) for path in goal.paths)
    spare = max(0, longest - PATH)
    unlimited = console.options.update(width=NO_LIMIT + longest)
    for name in (*DROPPED, ""):
        table = _table(goal, names, is_long=longest > PATH)
        if console.measure(table, options=unlimited).maximum - spare <= console.width:
            break
        names = [other for other in names if other != name]
    return table, names


def _table(goal: GoalStatus, names: list[str], *, is_long: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # As Text: in a plain string, a name's own brackets would be markup.
    title = Text(f"{goal.goal}: {_counted(goal)}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("path", overflow="fold", no_wrap=not is_long)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for path in goal.paths:
        cells = _cells(path)
        table.add_row(Text(path.path_id), *(cells[name] for name in names))
    return table


def _cells(path: PathStatus) -> dict[str, str]:
    return {
        "success": f"{path.success:.3f}",
        "score": "" if path.score is None else f"{path.score:.2f}",
        "users": "" if path.users is None else f"{path.users:.2f} ({path.user_signals})",
        "share": f"{path.share:.0%}",
        "calls": str(path.attempts),
        "failed": str(path.failures),
        "USD": "unknown" if path.cost_usd is None else f"{path.cost_usd:.3g}",
        "s": "" if path.latency_s is None else f"{path.latency_s:.2f}",
        "state": _state(path),
    }


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
