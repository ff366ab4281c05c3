"""Structural causal models: every column a function of its causes and of noise."""
