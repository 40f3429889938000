"""The gateways that are compared, one file each."""

from typing import Final

from bench.peers.envoy import Envoy
from bench.peers.litellm import LiteLLM
from bench.peers.nginx import Nginx
from bench.peers.peer import Launch, Peer, Setting, Unavailable
from bench.peers.portkey import Portkey
from bench.peers.rolecall import Rolecall

PEERS: Final[tuple[Peer, ...]] = (Nginx(), Envoy(), Rolecall(), Portkey(), LiteLLM())

__all__ = ["PEERS", "Launch", "Peer", "Setting", "Unavailable"]
