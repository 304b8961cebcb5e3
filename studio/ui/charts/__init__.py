"""Line charts: the only package that touches pyqtgraph and numpy."""
