"""The machine that demo and tests stand on: a private RabbitMQ, starters of the sandbox and of a worker."""
