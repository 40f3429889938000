"""The process in which llama.cpp runs.

It is started by its path and imports nothing of the project, so that it is up in a moment.
The first argument is JSON (see ``llama.py``); one line of JSON on standard output says where it
listens; it ends when standard input does, that is when its parent stops it or dies.
"""

import importlib
import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C reaches the whole group of processes; the parent decides when we stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = json.loads(sys.argv[1])
    sys.path.insert(0, settings["folder"])
    llama = importlib.import_module("xllamacpp")
    server = llama.Server(_parameters(llama.CommonParams(), settings))
    sys.stdout.write(json.dumps({"base_url": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    # Answers that are still being written hold the ordinary way out up.
    os._exit(0)


def _parameters(parameters: Any, settings: dict[str, Any]) -> Any:
    parameters.model.path = settings["weights"]
    parameters.model_alias = set(settings["aliases"])
    parameters.n_ctx = settings["n_ctx"]
    parameters.n_parallel = settings["n_parallel"]
    parameters.kv_unified = True  # one call may use the whole context
    # Its threads wait for each other by spinning: on busy cores two are many times slower than one.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.n_predict = settings["max_tokens"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.offline = True
    parameters.cors_origins = "http://127.0.0.1"  # it lets every page in a browser call otherwise
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.cache_ram_mib = 64  # of prompts; 8 GiB otherwise
    parameters.verbosity = -1
    return parameters


if __name__ == "__main__":
    main()
