"""Studies and measurements: each module is a command, `python -m benchmarks.<module>`."""
