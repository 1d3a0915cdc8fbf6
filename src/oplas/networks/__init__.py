"""Encoders to train, and decoders: plain modules, small."""

from .convnet import ConvNet, PlacedNet
from .decoder import Decoder
from .pooled import Pooled, Unpooled
from .swin import Swin
from .vit import ViT

__all__ = ["ConvNet", "Decoder", "PlacedNet", "Pooled", "Swin", "Unpooled", "ViT"]
