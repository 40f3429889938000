import http.client
import json
import urllib.request

import pytest

from rolecall.demo.model import LocalModel, ModelFiles, ModelUnavailable

STAND_IN = """\
import http.server
import json
import threading

BUSY = [True]


class Model:
    path = None


class Threads:
    n_threads = -1


class CommonParams:
    def __init__(self):
        self.model = Model()
        self.cpuparams = Threads()
        self.cpuparams_batch = Threads()


def listed(value):
    return sorted(value) if isinstance(value, set) else vars(value)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        starting = self.path == "/health" and BUSY
        if starting:
            BUSY.pop()
        shown = vars(self.server.parameters) | {"model": self.server.parameters.model.path}
        body = json.dumps(shown, default=listed).encode()
        self.send_response(503 if starting else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server:
    def __init__(self, parameters):
        print("a line that is not for us")
        server = http.server.HTTPServer(("127.0.0.1", parameters.port), Handler)
        server.parameters = parameters
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{server.server_port}"
"""


@pytest.fixture
def stand_in(tmp_path):
    """Make a package that is run in llama.cpp's place."""

    def make(text):
        (tmp_path / "xllamacpp.py").write_text(text)
        return ModelFiles(tmp_path, tmp_path / "Small-1M.Q4_1.gguf")

    return make


def test_it_is_started_on_loopback_with_the_settings(stand_in):
    files = stand_in(STAND_IN)
    with LocalModel.start(files, aliases=["b", "a"], n_ctx=512, n_parallel=3) as model:
        with urllib.request.urlopen(model.base_url) as response:
            parameters = json.load(response)
        assert model.describe == "Small-1M on llama.cpp"
    assert parameters["model"] == str(files.weights)
    assert parameters["model_alias"] == ["a", "b"]
    assert (parameters["n_ctx"], parameters["n_parallel"]) == (512, 3)
    assert parameters["cpuparams"] == parameters["cpuparams_batch"] == {"n_threads": 1}
    assert (parameters["hostnames"], parameters["port"]) == (["127.0.0.1"], 0)


def test_it_is_gone_after_the_block(stand_in):
    with LocalModel.start(stand_in(STAND_IN)) as model:
        port = int(model.base_url.rsplit(":", 1)[1])
    assert model._process.returncode == 0
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with pytest.raises(ConnectionRefusedError):
        connection.connect()
    model.stop()


def test_a_start_that_fails_says_how(stand_in):
    files = stand_in("raise OSError('libgomp.so.1: cannot open shared object file')")
    with pytest.raises(ModelUnavailable, match=r"with code 1: OSError: libgomp\.so\.1"):
        LocalModel.start(files)


def test_a_silent_end_gives_its_code(stand_in):
    with pytest.raises(ModelUnavailable, match=r"while it started, with code 7$"):
        LocalModel.start(stand_in("import os; os._exit(7)"))


def test_a_start_that_never_ends_is_given_up(stand_in):
    files = stand_in("import threading; threading.Event().wait()")
    with pytest.raises(ModelUnavailable, match="not ready in time"):
        LocalModel.start(files, ready_within=0.5)
