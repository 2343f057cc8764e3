"""The subject itself: orders, receipts, cashiers and what may come of a request.

Pure: it knows nothing of RabbitMQ, HTTP, Dramatiq, Prometheus or settings.
"""
