"""What runs in the child: imports the standard library and its own siblings, nothing else."""
