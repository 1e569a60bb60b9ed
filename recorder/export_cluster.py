# SPDX-License-Identifier: Apache-2.0
"""Many episodes at a time on Dask: each is one task that may be done twice, so that a lost worker costs its episode."""

import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from recorder.export_errors import ExportInputError, library
from recorder.export_job import run_job
from recorder.export_plan import Job

RETRIES = 3
"""So often an episode is tried again when its worker had an error that may pass; a lost worker is Dask's own affair."""

PATIENCE_S = 15


def carry_out(jobs: Sequence[Job], workers: int, scheduler: str) -> Iterator[tuple[Job, str]]:
    """Run jobs anywhere; yields each with why it failed (empty: it did not), as they end.

    Args:
        jobs: episodes to export; the workers see the same files under the same names.
        workers: processes of a cluster on this computer, one thread each.
        scheduler: address of a running Dask scheduler, instead.

    Raises:
        ExportInputError: Dask is not installed, or no scheduler answers.
    """
    distributed = library("distributed")
    with _client(distributed, workers, scheduler) as client:
        waiting = {
            client.submit(run_job, job, key=f"{job.key}-{job.item.index}", retries=RETRIES, pure=False): job
            for job in jobs
        }
        try:
            for future in distributed.as_completed(list(waiting), loop=client.loop):
                job = waiting.pop(future)
                yield job, _outcome(future)
                future.release()
        finally:
            client.cancel(list(waiting))


def _outcome(future: Any) -> str:
    if future.status == "finished":
        return str(future.result())
    return f"its worker failed {RETRIES + 1} times: {future.exception()!r}"


@contextmanager
def _client(distributed: Any, workers: int, scheduler: str) -> Iterator[Any]:
    if scheduler:
        try:
            client = distributed.Client(scheduler, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ExportInputError(
                f"no Dask scheduler answers at {scheduler!r} ({error}): start one with dask scheduler and dask worker,"
                " or use --workers N"
            ) from error
        with client:
            yield client
        return
    with (
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        client.register_worker_callbacks(setup=_leave_interrupts_to_us)
        yield client


def _leave_interrupts_to_us() -> None:
    """Ctrl-C reaches every process of a terminal; the cluster's owner ends the workers, so they need not complain."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
