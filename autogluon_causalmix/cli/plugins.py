"""``causalmix plugins``."""

from rich.table import Table as Grid

from autogluon_causalmix.cli.terminal import console


def plugins() -> None:
    """List every generator, discoverer and backbone: its origin, and what failed to load."""
    from autogluon_causalmix.plugins import plugin_registry

    registry = plugin_registry()
    grid = Grid("kind", "name", "options", "from")
    for entry in [*registry.generators, *registry.discoverers, *registry.backbones]:
        origin = f"{entry.owner.distribution} {entry.owner.version}"
        grid.add_row(entry.kind, entry.name, ", ".join(entry.options()) or "–", origin)
    console.print(grid)
    for failure in registry.failures:
        console.print(f"not loaded: {failure}", soft_wrap=True)
