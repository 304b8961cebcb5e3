"""What the studio knows at the moment: QtCore objects without pixels and without input or output."""
