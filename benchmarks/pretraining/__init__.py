"""Pretraining of the backbone `mini` on random structural causal models: `python -m benchmarks.pretraining`."""
