"""What the adapters of frameworks share: attempts by a model object of theirs, and what is told.

A framework's own words stay in its adapter: how it is asked, and how its answers are read.
"""
