"""Torch-free inference on ONNX Runtime."""
