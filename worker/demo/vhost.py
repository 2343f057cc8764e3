"""A virtual host on a private RabbitMQ: an empty broker for one test, and a sharp look at its queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

# Figures of this moment: what a quorum queue publishes of itself is up to 5 s old, so its leader is asked.
# For a moment after a start there is none, or one that cannot answer yet.
_QUEUES = """
Leader = fun Ask(Id, Attempts) when Attempts > 0 ->
    case ra:leader_query(Id, fun rabbit_fifo:overview/1, 500) of
        {{ok, {{_, State}}, _}} when is_map(State) -> State;
        _ -> timer:sleep(50), Ask(Id, Attempts - 1)
    end
end,
lists:foreach(fun(Q) ->
    {{resource, _, queue, Name}} = amqqueue:get_name(Q),
    try
        {{Ready, Unacked, Consumers}} = case amqqueue:get_type(Q) of
            rabbit_quorum_queue ->
                S = Leader(amqqueue:get_pid(Q), 20),
                {{maps:get(num_ready_messages, S), maps:get(num_checked_out, S), maps:get(num_consumers, S)}};
            _ ->
                [{{_, R}}, {{_, U}}, {{_, C}}] =
                    rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged, consumers]),
                {{R, U, C}}
        end,
        io:format("~ts\\t~b\\t~b\\t~b~n", [Name, Ready, Unacked, Consumers])
    catch
        exit:{{noproc, _}} -> deleted_meanwhile
    end
end, rabbit_amqqueue:list(<<"{vhost}">>))
"""
_CREATE = """
ok = rabbit_vhost:add(<<"{vhost}">>, <<"fiscal">>),
ok = rabbit_auth_backend_internal:set_permissions(
    <<"guest">>, <<"{vhost}">>, <<".*">>, <<".*">>, <<".*">>, <<"fiscal">>)
"""
_DELETE = 'ok = rabbit_vhost:delete(<<"{vhost}">>, <<"fiscal">>)'


class QueueDepth(NamedTuple):
    """Messages and readers of a queue; on a quorum queue an open ``basic.get`` counts as a reader."""

    messages: int
    messages_ready: int
    messages_unacknowledged: int
    consumers: int


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """A virtual host by name and address; ``evaluate`` runs Erlang on its node and gives what it prints."""

    name: str
    url: str
    evaluate: Callable[[str], str]

    def create(self) -> None:
        """Add it, empty, with full rights for ``guest``."""
        self.evaluate(_CREATE.format(vhost=self.name))

    def delete(self) -> None:
        """Remove it with all that is in it; its connections are closed."""
        self.evaluate(_DELETE.format(vhost=self.name))

    def queues(self) -> dict[str, QueueDepth]:
        """Its queues by name, with exact figures."""
        rows = (line.split("\t") for line in self.evaluate(_QUEUES.format(vhost=self.name)).splitlines())
        return {
            name: QueueDepth(int(ready) + int(unacked), int(ready), int(unacked), int(consumers))
            for name, ready, unacked, consumers in rows
        }
