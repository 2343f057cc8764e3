"""The partner RabbitMQ: orders come in, outcomes go out."""
