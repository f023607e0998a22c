"""Shared mathematics: masked means, gradients, precision, resizing, U-Net."""
