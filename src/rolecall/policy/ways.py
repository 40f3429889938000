"""How a role is come by, in one sentence a way."""

from rolecall.core import RoleMapping


def way_to(mapping: RoleMapping) -> str:
    """What a caller must hold for a role mapping to give its role."""
    asked = [
        *([f"in {_words(tuple(map('.'.join, mapping.claims)), 'or')}"] if mapping.claims else []),
        *_one_of("a role claim", mapping.any_of),
        *([f"role claims {_words(mapping.all_of, 'and')}"] if mapping.all_of else []),
        *([f"no role claim {_words(mapping.none_of, 'or')}"] if mapping.none_of else []),
        *_one_of("the group", mapping.groups),
        *_one_of("the scope", mapping.scopes),
        *_one_of("the client", mapping.clients),
        *_one_of("the issuer", mapping.issuers),
        *([mapping.when.text] if mapping.when is not None else []),
    ]
    return ", ".join(asked)


def _one_of(what: str, names: tuple[str, ...]) -> list[str]:
    return [f"{what} {_words(names, 'or')}"] if names else []


def _words(names: tuple[str, ...], joint: str) -> str:
    return f" {joint} ".join(names)
