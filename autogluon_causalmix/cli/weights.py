"""``causalmix weights``: which published weights are here, and how to get them."""

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table as Grid

from autogluon_causalmix.cli.terminal import console

weights = typer.Typer(help="List published weights, or fetch them before they are needed.")


@weights.command("list")
def list_weights() -> None:
    """List published weights: licence, source, and whether they are on this machine."""
    from autogluon_causalmix.backbones.published import published

    grid = Grid("name", "licence", "from", "on this machine")
    for each in published():
        here = f"{each.path.stat().st_size / 1e6:.0f} MB" if each.path.is_file() else "no"
        grid.add_row(each.name, each.license, each.source, here)
    console.print(grid)


@weights.command()
def fetch(
    name: Annotated[str, typer.Argument(help="As `causalmix weights list` prints it.")],
) -> None:
    """Fetch weights unless they are here; their checksum is tested before they are opened."""
    from autogluon_causalmix.backbones.published import prefetch_weights

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(name, total=None)
        path = prefetch_weights(
            name, lambda done, size: progress.update(task, completed=done, total=size)
        )
    console.print(f"{name}: {path}", soft_wrap=True)
