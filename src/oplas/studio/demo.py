"""The space that comes with the package: songs of the built-in band, on a space that never heard them."""

from __future__ import annotations

from pathlib import Path

SPACE = Path(__file__).with_name("demo.space")
POINTS = Path(__file__).with_name("demo.safetensors")
KIND = "demo of the studio"
#: Of the band, and how many of its songs are on the map; the space was learned from songs of another seed.
SEED, SONGS = 1, 36
