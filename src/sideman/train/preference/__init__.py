"""Tuning a sheet model by what a judge prefers: CLaMP-DPO (spec 6)."""
