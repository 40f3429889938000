import base64
import json
from pathlib import Path

import pytest

from rolecall.cli.case_run import run

from .conftest import CONFIG

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = Path(__file__).parents[1] / "cases"
STAFF = {"iss": "https://login.example.com", "sub": "ada", "roles": ["staff"]}


def token(claims, header=None):
    """A token whose signature is right for nobody: explain does not look at it."""
    parts = [json.dumps(header or {"alg": "RS256"}), json.dumps(claims), "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


@pytest.fixture
def ask(rolecall, config):
    """Ask about a model with claims on standard input."""

    def ask(claims, model="small", *options):
        return rolecall(
            "explain",
            "-c",
            config,
            "--claims",
            "-",
            "-m",
            model,
            *options,
            stdin=json.dumps(claims),
        )

    return ask


@pytest.mark.parametrize(
    ("claims", "model", "status", "reason"),
    [
        (STAFF, "small", 0, None),
        (STAFF, "large", 1, "model_not_allowed"),
        (STAFF, "small-preview", 1, "denied_by_rule"),
        (STAFF | {"roles": []}, "small", 1, "no_role"),
    ],
    ids=["allowed", "not allowed", "denied", "no role"],
)
def test_the_exit_status_is_the_decision(ask, claims, model, status, reason):
    result = ask(claims, model, "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["reason"], result.stderr) == (status, reason, "")
    assert answer["decision"] == ("deny" if status else "allow")


def test_json_names_the_rule_and_every_step(ask):
    assert json.loads(ask(STAFF, "small", "--json").stdout) == {
        "decision": "allow",
        "reason": None,
        "roles": ["staff"],
        "rule": {"file": "gw.yaml", "line": 6, "text": "- allow: [staff]"},
        "ceilings": None,
        "exceeded": [],
        "authentication": None,
        "changes": [],
        "steps": [
            {
                "subject": "claim roles = 'staff'",
                "outcome": "gives role staff",
                "source": {"file": "gw.yaml", "line": 4, "text": "- role: staff"},
            },
            {
                "subject": "allow staff: small",
                "outcome": "matches: allows",
                "source": {"file": "gw.yaml", "line": 6, "text": "- allow: [staff]"},
            },
            {
                "subject": "deny *: *-preview",
                "outcome": "does not match: the model is 'small'",
                "source": {"file": "gw.yaml", "line": 8, "text": '- deny: ["*"]'},
            },
        ],
    }


def test_people_read_a_tree(ask):
    assert ask(STAFF, "small-preview").stdout.splitlines() == [
        "deny denied_by_rule: ada calls small-preview at chat",
        "├── roles: staff",
        '├── rule: gw.yaml:8: - deny: ["*"]',
        "├── steps",
        "│   ├── claim roles = 'staff': gives role staff (gw.yaml:4)",
        "│   ├── allow staff: small: does not match: the model is 'small-preview' (gw.yaml:6)",
        "│   └── deny *: *-preview: matches: denies (gw.yaml:8)",
        "└── what would allow it",
        "    └── no other rule allows it: the denial is not all that stands in the way (gw.yaml:8)",
    ]


def test_the_endpoint_is_chat_unless_it_is_named(ask):
    assert "at chat\n" in ask(STAFF).stdout
    assert "at messages\n" in ask(STAFF, "small", "--endpoint", "messages").stdout
    wrong = ask(STAFF, "small", "--endpoint", "embeddings")
    assert wrong.exit_code == 2
    assert "'embeddings' is not one of 'chat', 'messages'" in wrong.stderr


@pytest.mark.parametrize("given", ["as an argument", "on standard input", "with line breaks"])
def test_claims_are_read_out_of_a_token(rolecall, config, given):
    text = token(STAFF)
    arguments, stdin = {
        "as an argument": (text, None),
        "on standard input": ("-", text),
        "with line breaks": ("-", f"\n{text}\r\n"),
    }[given]
    result = rolecall("explain", "-c", config, "--token", arguments, "-m", "small", stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("allow: ada calls small at chat\n")


TENANT = "11111111-2222-4333-8444-555555555555"
CROWDED = {
    "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "tid": TENANT,
    "oid": "ada",
    "_claim_names": {"groups": "src1"},
}
OVERAGE = "group_overage: {client_id: gw, client_secret: os.environ/NOT_SET}"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "the gateway refuses it"),
        (OVERAGE, "the gateway asks Microsoft Graph for them, and here nobody does"),
    ],
    ids=["without the key", "with it"],
)
def test_groups_that_a_token_leaves_out_are_missed(rolecall, tmp_path, key, said):
    issuer = f"  - {{profile: entra, tenant: {TENANT}, audience: [gw], {key}}}\n"
    first, second, *rest = CONFIG.splitlines(keepends=True)
    assert "issuer:" in second
    (tmp_path / "entra.yaml").write_text("".join([first, issuer, *rest]))
    result = rolecall(
        "explain", "-c", "entra.yaml", "--claims", "-", "-m", "small", stdin=json.dumps(CROWDED)
    )
    text = " ".join(result.stdout.replace("│", " ").split())
    assert "the token leaves its groups out (group overage)" in text
    assert said in text


def test_claims_are_read_from_a_file(rolecall, config, tmp_path):
    (tmp_path / "claims.json").write_text(json.dumps(STAFF))
    result = rolecall("explain", "-c", config, "--claims", "claims.json", "-m", "small")
    assert result.exit_code == 0


@pytest.mark.parametrize("page", ["entra", "keycloak"])
@pytest.mark.parametrize(("model", "status"), [("anthropic-claude", 0), ("openai-gpt-4o", 1)])
def test_the_pages_tokens_are_explained_without_any_variable(rolecall, page, model, status):
    claims = EXAMPLES / f"{page}-claims.json"
    config = EXAMPLES / f"{page}.yaml"
    result = rolecall("explain", "-c", str(config), "--claims", str(claims), "-m", model)
    assert (result.exit_code, result.stderr) == (status, "")
    assert f"1234567890 calls {model} at chat" in result.stdout
    assert (f"rule: {config}:9: - role: internal_user" in result.stdout) == (status == 0)


def test_the_command_answers_cases_as_the_evaluator_does(rolecall, tmp_path):
    for verdict in run([CASES / "decisions.yaml", CASES / "page-entra.yaml"]).verdicts:
        case = verdict.case
        path = tmp_path / "case.yaml" if "\n" in case.config else CASES / case.config
        if "\n" in case.config:
            path.write_text(case.config)
        result = rolecall(
            *("explain", "--json", "-c", str(path), "--claims", "-"),
            *("-m", case.model, "-e", case.endpoint),
            stdin=json.dumps(case.claims),
        )
        answer = json.loads(result.stdout)
        assert (
            answer["decision"],
            answer["reason"],
            answer["rule"] and answer["rule"]["line"],
        ) == (
            case.expected["decision"],
            case.expected["reason"],
            case.expected["rule"],
        ), case.name


UNUSABLE = {
    "neither a token nor claims": ([], None, "name either --token or --claims."),
    "both": (["--token", "-", "--claims", "-"], None, "name either --token or --claims."),
    "no such file": (
        ["--claims", "absent.json"],
        None,
        "absent.json cannot be read: No such file or directory.",
    ),
    "a folder": (["--claims", "."], None, ". cannot be read: Is a directory."),
    "nothing on standard input": (["--claims", "-"], "", "Not valid JSON: EOF while parsing a"),
    "no JSON": (["--claims", "-"], "roles: [staff]", "Not valid JSON: expected value at line 1"),
    "no UTF-8": (["--claims", "-"], b"\xff", "Not valid JSON: "),
    "a list": (["--claims", "-"], "[]", "the claims must be a JSON object."),
    "a member twice": (["--claims", "-"], '{"a": 1, "a": 1}', "The JSON names one member twice"),
    "no sub": (
        ["--claims", "-"],
        json.dumps({"roles": ["staff"]}),
        "The token has no sub, and so names nobody.",
    ),
    "an unknown issuer": (
        ["--claims", "-"],
        json.dumps(STAFF | {"iss": "https://evil.example"}),
        (
            "the claims' iss ('https://evil.example') is not one of the configured issuers:"
            " https://login.example.com."
        ),
    ),
    "an issuer that steers the terminal": (
        ["--claims", "-"],
        json.dumps(STAFF | {"iss": "\x1b[2J"}),
        r"the claims' iss ('\x1b[2J') is not one of the configured issuers",
    ),
    "an issuer that is no word": (
        ["--claims", "-"],
        json.dumps(STAFF | {"iss": ["https://login.example.com"]}),
        "the claims' iss (['https://login.example.com']) is not one of the configured issuers",
    ),
    "no token": (["--token", "staff"], None, "The token cannot be used: it is not a signed JWT"),
    "an empty token": (["--token", ""], None, "The token cannot be used: it is not a signed JWT"),
    "no token on standard input": (
        ["--token", "-"],
        b"\xff",
        "The token cannot be used: it is not a signed JWT in compact form.",
    ),
    "a token that is not canonical": (
        ["--token", token(STAFF) + "="],
        None,
        "The token cannot be used: it is not a signed JWT in compact form.",
    ),
    "what is no address": (
        ["--claims", "-", "--source-ip", "10.0.0"],
        "{}",
        "'10.0.0' is no address; write 192.0.2.7 or 2001:db8::7.",
    ),
    "a token of a list": (
        ["--token", token([])],
        None,
        "The token cannot be used: its payload is not a JSON object.",
    ),
}


@pytest.mark.parametrize(("arguments", "stdin", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_input_that_cannot_be_used_exits_2(rolecall, config, arguments, stdin, sentence):
    result = rolecall("explain", "-c", config, "-m", "small", *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {sentence}")


def test_a_configuration_that_cannot_be_used_exits_2(rolecall, broken):
    for name, said in [
        (broken, "broken.yaml:13:1: error: zzz: unknown key"),
        ("absent.yaml", "absent.yaml: error: cannot be read"),
    ]:
        result = rolecall("explain", "-c", name, "--claims", "-", "-m", "small", stdin="{}")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(said)


def test_a_model_is_needed(rolecall, config):
    result = rolecall("explain", "-c", config, "--claims", "-")
    assert result.exit_code == 2
    assert result.stderr == "Error: name --model, or --body with a body that does.\n"


def test_claims_without_an_issuer_need_issuers_that_read_them_alike(rolecall, tmp_path):
    (tmp_path / "two.yaml").write_text("""\
issuers:
  - {issuer: https://one.example, audience: gw}
  - {issuer: https://two.example, audience: gw, roles: [other]}
""")
    result = rolecall("explain", "-c", "two.yaml", "--claims", "-", "-m", "a", stdin='{"sub": "x"}')
    assert result.exit_code == 2
    assert "(None) is not one of the configured issuers" in result.stderr


def test_claims_do_not_steer_the_terminal(ask):
    shown = ask(STAFF | {"sub": "\x1b[2J\n[red]:key:", "roles": ["staff", "\x1b[0m"]}).stdout
    assert "\x1b" not in shown
    assert shown.startswith(r"allow: '\x1b[2J\n[red]:key:' calls small at chat")


def test_markup_and_emoji_are_shown_as_they_are(ask):
    shown = ask(STAFF | {"sub": "urn:key:[red]x"}, "openai:cat:[b]").stdout
    assert shown.startswith("deny model_not_allowed: urn:key:[red]x calls openai:cat:[b] at chat")


def test_no_secret_is_shown(ask):
    for options in [(), ("--json",)]:
        assert "S3CRET" not in ask(STAFF, "small", *options).output


BOUNDED = """\
issuers:
  - {issuer: https://login.example.com, audience: [gw]}
conditions: {headers: [x-team]}
roles:
  - role: staff
rules:
  - allow: [staff]
    models: [small]
    ceilings: {max_tokens: 100}
  - allow: [staff]
    models: [night]
    when: now.getHours() < 6
  - allow: [staff]
    models: [home]
    when: source_ip.inCidr("10.0.0.0/8") && headers["x-team"] == "blue"
models:
  - {name: small, model: gpt-4o-mini, api_key: sk-S3CRET}
"""
ASKED = {
    "a body within": (["--body", "small.json"], "allow", None),
    "a body beyond": (["--body", "large.json"], "deny", "ceiling_exceeded"),
    "no body": (["-m", "small"], "deny", "ceiling_exceeded"),
    "another model than the body's": (
        ["--body", "small.json", "-m", "large"],
        "deny",
        "model_not_allowed",
    ),
    "at night": (["-m", "night", "--at", "2026-03-01T03:00:00Z"], "allow", None),
    "by day": (["-m", "night", "--at", "2026-03-01T13:00:00Z"], "deny", "model_not_allowed"),
    "at home": (
        ["-m", "home", "--source-ip", "10.1.1.1", "--header", "X-Team=blue"],
        "allow",
        None,
    ),
    "from elsewhere": (["-m", "home", "--source-ip", "192.0.2.1"], "deny", "model_not_allowed"),
    "from nowhere": (["-m", "home", "--header", "x-team=blue"], "deny", "condition_error"),
}


@pytest.mark.parametrize(("options", "decision", "reason"), ASKED.values(), ids=ASKED)
def test_rules_that_look_at_the_call_are_explained(rolecall, tmp_path, options, decision, reason):
    (tmp_path / "bounded.yaml").write_text(BOUNDED)
    for name, tokens in [("small", 50), ("large", 500)]:
        (tmp_path / f"{name}.json").write_text(json.dumps({"model": "small", "max_tokens": tokens}))
    result = rolecall(
        *("explain", "--json", "-c", "bounded.yaml", "--claims", "-", *options),
        stdin=json.dumps(STAFF),
    )
    answer = json.loads(result.stdout)
    assert (answer["decision"], answer["reason"]) == (decision, reason)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-m", "a", "--at", "noon"], "'noon' is no time; write 2026-12-31T18:00:00Z."),
        (["-m", "a", "--at", "2026-03-01T03:00"], "'2026-03-01T03:00' is no time; write"),
        (["-m", "a", "--header", "x-team"], "'x-team' is no header; write NAME=VALUE."),
        (["--body", "absent.json"], "absent.json cannot be read: No such file or directory."),
        (["--body", "{}"], "The body names no model"),
        (["--body", '{"model": "a", "fallbacks": []}'], "fallbacks would choose a model"),
        (["--body", '{"model": "a", "max_tokens": "9"}'], "max_tokens cannot be used here"),
    ],
)
def test_a_call_that_cannot_be_made_cannot_be_explained(
    rolecall, config, tmp_path, options, sentence
):
    if options[-1].startswith("{"):
        (tmp_path / "body.json").write_text(options.pop())
        options.append("body.json")
    result = rolecall("explain", "-c", config, "--claims", "-", *options, stdin=json.dumps(STAFF))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {sentence}")
