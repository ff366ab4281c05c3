"""Constraint-based discovery: PC and FCI."""
