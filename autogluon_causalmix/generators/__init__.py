"""Generators of synthetic rows: protocol, contract, and the built-in ones."""
