"""A local page on a space: its map, its operators, its mixer, its ring, its certificate."""
