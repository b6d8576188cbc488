"""Reading over HTTP: a resource is declared once in Django REST framework's words and executed in SQL.

This package knows nothing of crypto regulation. `docs/architecture.md` tells how its modules work together.
"""
