"""The same policies as teams would serve them with other tools, on the same database: what we compare ourselves with.

Each is tuned as one would tune it, and gives the same JSON where it can. They run in an environment of their own
(bench/requirements.txt).
"""
