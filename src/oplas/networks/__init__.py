"""Encoders to train, and decoders: plain modules, small."""

from .convnet import ConvNet, PlacedNet

__all__ = ["ConvNet", "PlacedNet"]
