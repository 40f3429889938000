"""Rolecall: roles call models."""

__version__ = "0.1.0"
