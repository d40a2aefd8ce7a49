"""Torch-free inference on ONNX Runtime."""

import os

# The runtime's packages report to their makers from the moment they are imported. Nobody who plays asked for that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
