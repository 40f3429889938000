"""Headers and body go to the callers in files."""

from bench.load import asking

HEADERS = {"authorization": "Bearer a.b.c", "x-portkey-custom-host": "http://127.0.0.1:9/v1"}


def test_what_is_written_is_read(tmp_path):
    sent = asking.write(tmp_path / "load", 4000, HEADERS, b'{"model":"m"}')
    assert asking.read_headers(sent.headers) == HEADERS
    assert sent.body.read_bytes() == b'{"model":"m"}'
    assert sent.url == "http://127.0.0.1:4000/v1/chat/completions"
