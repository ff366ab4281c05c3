"""TabArena, on tables of your own without a network, or the published suite."""
