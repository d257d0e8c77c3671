"""Training: tiles, augmentation, the loop."""
