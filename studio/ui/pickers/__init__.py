"""Popups that choose a model, data or a node, and the dialogs they need."""
