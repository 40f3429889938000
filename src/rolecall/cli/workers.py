"""Several processes that share a port."""

import os
import signal

from uvicorn.supervisors import Multiprocess

from rolecall.gateway import hangup_waiting


class Workers(Multiprocess):
    """uvicorn's supervisor, whose workers reload by themselves, and which at its end is closed."""

    def init_processes(self) -> None:
        """Start the workers."""
        with hangup_waiting():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that have died."""
        with hangup_waiting():
            super().keep_subprocess_alive()

    def handle_hup(self) -> None:
        """Let each worker read its configuration again.

        uvicorn would replace them, and end the streams that outlast its patience.
        """
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGHUP)

    def terminate_all(self) -> None:
        """Tell every worker to end, and let nobody in any more.

        The parent holds the listening socket too. While it waited for its workers with that
        socket open, the kernel would go on accepting connections that nobody takes.
        """
        for listening in self.sockets:
            listening.close()
        super().terminate_all()
