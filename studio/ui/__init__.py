"""Pixels: the window, its pages and the widgets they share."""
