"""Pretraining of the backbone `mini` on tables drawn from random structural causal models."""
