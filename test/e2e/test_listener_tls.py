"""An application that speaks TLS to its ambassador, and one that does not, at the same port."""
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
    restricted.exec("app", "sh", "-c", "cat > /tmp/own.crt", container="client", text=own["tls.crt"])

    def ask(*command):
        return restricted.exec("app", "redis-cli", "-h", "localhost", "-p", "6380", *command, container="client").strip()

    tls = ("--tls", "--cacert", "/tmp/own.crt")
    assert ask(*tls, "mset", "a", "1", "b", "2", "c", "3") == "OK"
    assert ask("mget", "a", "b", "c") == "1\n2\n3"
    assert "certificate verify failed" in restricted.run(
        "exec", "app", "-c", "client", "--", "redis-cli", "-h", "localhost", "-p", "6380", "--tls", "ping").stderr
