"""``vivavoce doctor``: is this machine ready, and if not, what to do."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vivavoce.cli.checks import all_findings
from vivavoce.cli.options import ConfigOption, EngineSet, EnginesOption, ProfileOption, read_config

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    engines: EnginesOption = EngineSet.LOCAL, config: ConfigOption = None, profile: ProfileOption = None
) -> None:
    """Check this machine; every line is ok, warn or fail and says what to do. Exit code 1 when something fails."""
    settings = read_config(engines=engines, file=config, profile=profile)
    console = Console()
    with console.status("Looking …"):
        findings = all_findings(settings)
    table = Table(show_header=False, box=None)
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        text = finding.detail + (f"\n→ {finding.advice}" if finding.advice else "")
        table.add_row(Text(finding.verdict, style=colour), Text(finding.name), Text(text))
    console.print(table)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)
