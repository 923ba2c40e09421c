"""Programs about the project: data, cross-check, quickstart, tests."""
