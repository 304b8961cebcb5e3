"""What a person can do with Luthier, one verb a method."""
