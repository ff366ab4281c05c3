"""Fine-tuning in episodes, and the choice between two sets of weights."""
