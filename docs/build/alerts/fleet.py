"""The worker's own processes, its broker and its settings."""

from __future__ import annotations

from docs.build.alerts.entry import Alert
from worker.fiscal.languages import N_

FLEET = {
    "FiscalWorkerAbsent": Alert(
        means=N_("Prometheus scrapes no worker."),
        check=N_(
            "Pods: running, restarting, out of memory? The PodMonitor and the network policy of the metrics "
            "port."
        ),
        do=N_("Bring it back. Orders wait in `fiscalize`."),
    ),
    "FiscalWorkerStuck": Alert(
        means=N_(
            "A process shows no heartbeat: a thread ended or stands still, or one pass takes over five "
            "minutes."
        ),
        check=N_(
            "`/readyz`, which names the thread; `/healthz`; the last lines of its log, "
            "`background_round_failed` among them."
        ),
        do=N_(
            "The liveness probe restarts it; what it had in flight is delivered again and looked up first."
        ),
    ),
    "FiscalWorkerNotConsuming": Alert(
        means=N_("A process is alive and consumes nothing."),
        check=N_("`/readyz`; the broker's connections; log lines `broker_lost`, `process_died`."),
        do=N_("Mend the broker; restart the pod if the broker is well."),
    ),
    "FiscalWorkerStoppedItself": Alert(
        means=N_(
            "`FISCAL_DEAD_LETTER_LIMIT` dead letters of INTERNAL_ERROR or of refused cashiers came in a row."
        ),
        check=N_("Log line `worker_stopped_itself` with its `code`; whether it began with a deploy."),
        do=N_("Roll back or mend, then `fiscal-worker resume`. By itself it goes on after 10 minutes."),
    ),
    "FiscalProcessesDie": Alert(
        means=N_("Processes end again and again, and are started again."),
        check=N_(
            "Log line `process_died` with `exit_code` (-9: out of memory), `process_broke` with its stack."
        ),
        do=N_("Raise the memory limit or roll back."),
    ),
    "FiscalBrokerLost": Alert(
        means=N_("RabbitMQ has not been reached for 5 minutes."),
        check=N_("RabbitMQ itself; `FISCAL_RABBITMQ_URL`; certificates and the network policy."),
        do=N_("Bring it back. The worker reconnects by itself."),
    ),
    "FiscalOutcomesNotConfirmed": Alert(
        means=N_(
            "RabbitMQ does not confirm publishes: a memory or disk alarm, a queue without a leader (after 30 "
            "s), a queue that is full and refuses (`x-max-length` with `reject-publish`, also one that "
            "another listener bound to `bimp.fiscal`), an object of another kind under a name of ours."
        ),
        check=N_(
            "RabbitMQ's alarms, the log's `publishing_refused` (which object, and the cure), and the queue "
            "`fiscalize.outbox`."
        ),
        do=N_(
            "Lift the cause. Orders are done meanwhile; refused events wait in `fiscalize.outbox` and are "
            "published again at least once a minute, under the same ids. Dead letters that are refused "
            "reschedule their orders. Nothing has to be replayed."
        ),
    ),
    "FiscalIntegrationsFileBroken": Alert(
        means=N_(
            "The file, or one of the folder's, cannot be read, or the address of the integrations does not "
            "answer; what was read last is in force. A mistake in a row does not cause this: see "
            "CONFIGURATION_INVALID."
        ),
        check=N_(
            "Log lines `integrations_file_refused`, whose `problems` name file and place, and "
            "`integrations_not_fetched`, whose `reason` is why there was no answer."
        ),
        do=N_(
            "Mend the file, or have Bimp's address mended; it is read again by itself. A file of a folder "
            "that is gone counts until a restart; to take its integrations away, put `integrations: []` into "
            "it. Do not restart before: a start with a file that cannot be read is refused, and without an "
            "answer the worker waits."
        ),
    ),
    "FiscalLogLinesDropped": Alert(
        means=N_(
            "Log lines could not be written: the reader of the worker's stdout is stuck or gone, or the disk "
            "is full. Orders go on."
        ),
        check=N_(
            "The log collector of the worker's machine; space for its files. The line `log_lines_dropped` "
            "says how many are missing."
        ),
        do=N_("Bring the reader back. A restart of the worker changes nothing while its reader is the same."),
    ),
}
