"""An application that speaks TLS to its ambassador, and one that does not, at the same port."""
import base64

import objects
from test_postgresql import self_signed


def test_redis_clients_get_tls_when_they_begin_with_it(restricted, tmp_path):
    own = self_signed(tmp_path, "subjectAltName=DNS:localhost")
    restricted.apply(*objects.redis_set(), objects.secret("cache-own", **own), objects.policy(
        listeners=[objects.listener(listenerTLS={"secretRef": {"name": "cache-own"}})]))
    restricted.wait_rollout("statefulset/redis-st")
    restricted.wait_policy("redis")
    restricted.apply(objects.pod())
    restricted.wait_ready("app")
    encoded = base64.b64encode(own["tls.crt"].encode()).decode()
    restricted.exec("app", "sh", "-c", f"echo {encoded} | base64 -d > /tmp/own.crt", container="client")

    def ask(*command):
        return restricted.exec("app", "redis-cli", "-h", "localhost", "-p", "6380", *command, container="client").strip()

    tls = ("--tls", "--cacert", "/tmp/own.crt")
    assert ask(*tls, "mset", "a", "1", "b", "2", "c", "3") == "OK"
    assert ask("mget", "a", "b", "c") == "1\n2\n3"
    assert "certificate verify failed" in restricted.run(
        "exec", "app", "-c", "client", "--", "redis-cli", "-h", "localhost", "-p", "6380", "--tls", "ping").stderr
