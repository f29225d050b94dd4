"""Siamese encoders for Lookalike: training, calibration and export."""

__version__ = "0.1.0"
