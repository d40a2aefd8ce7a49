"""A prompt becomes sheet music."""
