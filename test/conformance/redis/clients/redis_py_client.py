"""redis-py with its default options: says what it got, line by line. redis_py_client.py PORT [one: database]"""
import sys
import threading

import redis

PORT = int(sys.argv[1])


def told(what, value):
    print(f"{what}: {value!r}", flush=True)


def restarted():
    """Whoever started this ends all connections meanwhile."""
    print("restart", flush=True)
    sys.stdin.readline()


def failing(call):
    try:
        return call()
    except redis.RedisError as error:
        return type(error).__name__, str(error)


def values(client):
    told("set", client.set("key", b"\0\r\n\xff"))
    told("get", client.get("key"))
    told("nothing", client.get("nothing"))
    told("large", client.set("large", "x" * 300_000) and len(client.get("large")))
    told("hash", client.hset("hash", mapping={"a": 1, "b": "two"}) and client.hgetall("hash"))
    told("scores", client.zadd("sorted", {"a": 1.5, "b": 2}) and client.zrange("sorted", 0, -1, withscores=True))
    told("set of", client.sadd("members", "x", "y") and sorted(client.smembers("members")))
    told("several", client.mset({f"many {n}": n for n in range(50)}) and len(client.mget([f"many {n}" for n in range(60)])))
    told("stream", client.xadd("stream", {"f": "v"}, id="1-1") and client.xrange("stream"))
    told("read", client.xread({"stream": 0}))
    told("wrong", failing(lambda: client.lpush("key", 1)))
    told("no command", failing(lambda: client.execute_command("NOSUCH", "x")))
    told("scanned", len(set(client.scan_iter("many *", count=7))))
    told("deleted", client.delete(*[f"many {n}" for n in range(60)]))
    told("name", client.client_setname("mine") and client.client_getname())


def pipelines(client):
    with client.pipeline(transaction=False) as pipeline:
        for number in range(200):
            pipeline.incrby("counter", number).lpush("key", 1).get("counter")
        found = pipeline.execute(raise_on_error=False)
    told("pipeline", [found[-3], type(found[-2]).__name__, found[-1]])
    with client.pipeline() as pipeline:
        told("transaction", pipeline.set("a", 1).incr("a").lrange("{a}none", 0, -1).execute())
    with client.pipeline() as pipeline:
        pipeline.watch("a")
        client.set("a", 10)
        pipeline.multi()
        pipeline.get("a")
        told("watched", failing(pipeline.execute))
    told("by itself", client.transaction(lambda pipe: pipe.multi() or pipe.incr("a"), "a"))


def scripts(client):
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('get', KEYS[1])}")
    told("script", [script(keys=["a"], args=["x"]) for _ in range(2)])
    told("script's error", failing(lambda: client.eval("return redis.error_reply('MINE it is')", 0)))
    told("unknown script", failing(lambda: client.evalsha("0" * 40, 0)))


def blocking(client):
    told("in vain", client.blpop(["empty"], timeout=0.05))
    with redis.Redis(port=PORT) as other:
        pusher = threading.Timer(0.1, lambda: other.rpush("queue", "element"))
        pusher.start()
        told("popped", client.blpop(["{queue}empty", "queue"], timeout=30))
        pusher.join()


def messages(client):
    with client.pubsub() as heard:
        heard.subscribe("{n}ews")
        heard.psubscribe("{n}*")
        told("confirmed", [heard.get_message(timeout=30) for _ in range(2)])
        told("published", client.publish("{n}ews", "hello"))
        told("heard", sorted((heard.get_message(timeout=30) for _ in range(2)), key=str))
        restarted()
        confirmed = []
        while len(confirmed) < 2:  # it subscribes again by itself
            message = failing(lambda: heard.get_message(timeout=30))
            confirmed += [message] if isinstance(message, dict) else []
        told("subscribed again", sorted(one["type"] for one in confirmed))
        told("published again", client.publish("{n}ews", "again"))
        told("heard again", sorted((heard.get_message(timeout=30) for _ in range(2)), key=str))


def databases():
    with redis.Redis(port=PORT, db=3) as third, redis.Redis(port=PORT, protocol=2) as old:
        told("another database", [third.set("key", 3), third.get("key"), old.get("key"), third.dbsize()])
        told("RESP2", [old.zrange("sorted", 0, -1, withscores=True), old.hgetall("hash")])
        told("no such database", failing(lambda: redis.Redis(port=PORT, db=99).get("key")))


def main():
    with redis.Redis(port=PORT) as client:
        told("flushed", client.flushall())
        for part in (values, pipelines, scripts, blocking, messages):
            part(client)
        told("still there", client.get("a"))
        if len(sys.argv) == 2:
            databases()


main()
