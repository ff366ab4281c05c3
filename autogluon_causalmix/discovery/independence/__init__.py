"""Tests of conditional independence, thousands in one call."""
