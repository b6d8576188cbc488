"""`make bench`: our lists beside the same lists through plain Django REST framework. docs/performance.md explains it."""
