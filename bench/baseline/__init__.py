"""The same policies, as a team would serve them with plain Django REST framework: what we compare ourselves with.

It is tuned as one would tune it: related rows are fetched in advance, keys are resolved to ids, no row is counted twice.
"""
