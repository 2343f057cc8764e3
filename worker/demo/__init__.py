"""What the demo and the tests run on: a private RabbitMQ, and starters of the sandbox and of a worker."""
