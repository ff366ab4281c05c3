"""Tabular foundation models: one adapter per family, each a plugin."""
