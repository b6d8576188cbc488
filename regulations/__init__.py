"""The app: what kbase knows about crypto regulation."""
