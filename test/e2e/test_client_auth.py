"""An application that has to log in at its ambassador before Redis serves it."""
import kube
import objects


def test_redis_clients_log_in_with_the_password_of_a_secret_until_it_is_another(restricted):
    restricted.apply(*objects.redis_set(), objects.secret("cache-clients", username="shop", password="pencil"),
                     objects.policy(listeners=[objects.listener(
                         clientAuth={"mode": "Password", "secretRef": {"name": "cache-clients"}})]))
    restricted.wait_rollout("statefulset/redis-st")
    restricted.wait_policy("redis")
    restricted.apply(objects.pod())
    restricted.wait_ready("app")

    def ask(password, *command):
        return restricted.exec("app", "env", f"REDISCLI_AUTH={password}", "redis-cli", "-p", "6380", *command,
                               container="client").strip()

    assert "NOAUTH Authentication required." in restricted.exec("app", "redis-cli", "-p", "6380", "get", "a",
                                                                container="client")
    assert ask("pencil", "mset", "a", "1", "b", "2", "c", "3") == "OK"
    assert ask("pencil", "--user", "shop", "mget", "a", "b", "c") == "1\n2\n3"
    assert "WRONGPASS" in restricted.run("exec", "app", "-c", "client", "--", "env", "REDISCLI_AUTH=crayon", "redis-cli",
                                         "-p", "6380", "get", "a").stderr

    restricted.apply(objects.secret("cache-clients", username="shop", password="crayon"))
    # The kubelet shows a Secret anew once a minute or so.
    kube.wait("the new password counts", lambda: ask("crayon", "get", "a") == "1", seconds=180, every=1)
    log = restricted.run("logs", "app", "-c", objects.AMBASSADOR).stdout
    assert "client credentials taken" in log
    assert "pencil" not in log and "crayon" not in log
