"""Runs beside each other: their curves overlaid, what differs in their settings, and what came out."""
