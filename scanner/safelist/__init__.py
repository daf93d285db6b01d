"""Safelists: read, checked, matched, edited."""
