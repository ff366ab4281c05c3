"""People's tables: read as they are spelled, checked against one schema, written as they came."""
