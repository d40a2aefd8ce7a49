"""A whole melody to N ranked, different chord progressions."""
