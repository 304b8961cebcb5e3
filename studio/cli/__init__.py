"""The user's verbs without a window and without Qt."""
