"""YAML as a tree that keeps its lines, with its faults in plain words: for safelists and settings alike."""
