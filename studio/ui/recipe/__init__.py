"""The Recipe page: optimizer, schedule, regularization and batch beside the learning-rate curve."""
