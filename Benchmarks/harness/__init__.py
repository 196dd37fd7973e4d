"""Measures Weir beside its peers; ../README.md says how, ../run.py begins it."""
