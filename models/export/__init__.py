"""Turns diffusers directories into packs, and writes what diffusers paints with them."""
