"""The files of a run that supervisor and trainer share: standard library only, Python 3.8."""
