"""``causalmix plugins``."""

from rich.table import Table as Grid

from autogluon_causalmix.cli.terminal import console


def plugins() -> None:
    """List every generator, discoverer, backbone and metric, and what failed to load."""
    from autogluon_causalmix.plugins import plugin_registry

    registry = plugin_registry()
    grid = Grid("kind", "name", "options", "from")
    for entry in [entry for own in registry.registries for entry in own]:
        origin = f"{entry.owner.distribution} {entry.owner.version}"
        grid.add_row(entry.kind.name, entry.name, ", ".join(entry.options()) or "–", origin)
    for column in grid.columns:
        column.overflow = "fold"  # a name is never shortened
    console.print(grid)
    for failure in registry.failures:
        console.print(f"not loaded: {failure}", soft_wrap=True)
