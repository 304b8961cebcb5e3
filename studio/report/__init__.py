"""The report of a data set as one HTML file to send to a colleague."""
