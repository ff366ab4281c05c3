"""The AutoML Benchmark: its checkout, and the user directory that adds CausalMix to it."""
