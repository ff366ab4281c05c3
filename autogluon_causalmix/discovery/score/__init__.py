"""Score-based discovery: scores of graphs, and the searches for the best one."""
