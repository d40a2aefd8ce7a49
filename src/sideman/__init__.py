"""Sideman: an accompanist that plays along, offers chord progressions and composes."""

__version__ = "0.1.0"
