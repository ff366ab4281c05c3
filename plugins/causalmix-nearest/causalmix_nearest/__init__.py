"""Kernel regression with trainable feature weights, as a backbone of autogluon-causalmix."""
