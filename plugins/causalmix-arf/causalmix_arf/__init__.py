"""Adversarial random forests as a generator of synthetic rows."""
