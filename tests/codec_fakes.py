"""EnCodec with random weights and codebooks, a few kilobytes, as the folder that a download would be."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers


def small(folder: Path, **settings: object) -> Path:
    torch.manual_seed(0)
    config = transformers.EncodecConfig(
        hidden_size=16, num_filters=4, codebook_size=64, target_bandwidths=[1.5, 6.0], num_lstm_layers=1, **settings
    )
    model = transformers.EncodecModel(config)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_(std=0.1)
    model.save_pretrained(folder)
    return folder
