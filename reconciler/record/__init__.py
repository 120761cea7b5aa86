"""What a target was brought to and what was announced: its encoding, and the stores that keep it (git ref, folder)."""
