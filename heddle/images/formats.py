"""The image formats that Heddle reads. It tries no other, vector graphics least of all."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow's names."""
