"""Trains and scores the models in tables and figures of reports."""
