"""The torch networks."""
