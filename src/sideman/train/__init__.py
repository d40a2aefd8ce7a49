"""Recipes that train the networks."""
