"""Reinforcement learning of an accompanist (spec 6): play to real melodies, judge, change a little, again."""
