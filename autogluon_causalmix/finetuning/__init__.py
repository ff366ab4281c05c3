"""Fine-tuning a tabular foundation model in episodes, and the guard that keeps the better of two sets of weights."""
