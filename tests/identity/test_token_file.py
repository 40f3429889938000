"""A token in a file that somebody else renews."""

import pytest

from rolecall.identity.documents import FetchError
from rolecall.identity.token_file import token_in

CONTENTS = {
    "a token": (b"head.claims.signature", "head.claims.signature"),
    "with the line break that editors leave": (b"abc==\n", "abc=="),
    "nothing": (b"", None),
    "two words": (b"abc def", None),
    "two lines": (b"abc\r\nx-admin: 1", None),
    "an equals sign within": (b"a=b", None),
    "no text": (b"\xff\xfe", None),
}


@pytest.mark.parametrize(("content", "token"), CONTENTS.values(), ids=CONTENTS)
def test_it_is_a_bearer_token_or_none(tmp_path, content, token):
    file = tmp_path / "token"
    file.write_bytes(content)
    if token is not None:
        assert token_in(file) == token
        return
    with pytest.raises(FetchError) as caught:
        token_in(file)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FetchError, match="nowhere cannot be read as a bearer token"):
        token_in(tmp_path / "nowhere")
