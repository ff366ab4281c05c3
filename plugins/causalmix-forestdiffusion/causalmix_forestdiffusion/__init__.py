"""ForestDiffusion as a generator of synthetic rows."""
