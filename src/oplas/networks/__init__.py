"""Encoders to train, and decoders: plain modules, small."""

from .convnet import ConvNet

__all__ = ["ConvNet"]
