"""The Django project: how the knowledge base runs. What it knows is in `regulations`."""
