"""Recorded runs: the journal, the folder that holds it, what was decided in reviews, and reading it all again."""
