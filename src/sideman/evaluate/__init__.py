"""Tables and plots: how good a model is."""
