"""Studies and measurements of the project: each module is one command, `python -m benchmarks.<module>`."""
