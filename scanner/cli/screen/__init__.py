"""What the commands print in the terminal."""
