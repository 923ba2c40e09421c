"""Trains and scores what a table or figure of a report shows."""
