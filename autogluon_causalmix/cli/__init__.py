"""The ``causalmix`` command: one file per subcommand."""
