"""From the rows of a table to beliefs about its causal graph."""
