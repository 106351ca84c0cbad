"""What the models say: real answers by plain means, and the ways in which they go wrong."""
