import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.ScanIteration;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.XAddParams;

/** Jedis with its default options, and with RESP3: says what it got, line by line. JedisClient PORT [one: database] */
final class JedisClient {
  private static final String SCRIPT = "return {KEYS[1], ARGV[1], redis.call('get', KEYS[1])}";
  private final int port;

  private JedisClient(int port) {
    this.port = port;
  }

  public static void main(String[] arguments) throws Exception {
    JedisClient program = new JedisClient(Integer.parseInt(arguments[0]));
    try (RedisClient client = RedisClient.create("127.0.0.1", program.port)) {
      program.all("", client);
    }
    try (RedisClient client = program.other(RedisProtocol.RESP3, 0)) {
      program.all("RESP3 ", client);
    }
    if (arguments.length == 1) {
      program.databases();
    }
  }

  private void databases() {
    try (RedisClient client = other(RedisProtocol.RESP3, 3)) {
      told("another database", client.set("key", "3") + client.get("key") + client.dbSize());
    }
    told(
        "no such database",
        failing(
            () -> {
              try (RedisClient client = other(RedisProtocol.RESP3, 99)) {
                return client.get("key");
              }
            }));
  }

  private RedisClient other(RedisProtocol protocol, int database) {
    return RedisClient.builder()
        .hostAndPort("127.0.0.1", port)
        .clientConfig(DefaultJedisClientConfig.builder().protocol(protocol).database(database).build())
        .build();
  }

  private void all(String which, RedisClient client) throws Exception {
    told(which + "flushed", client.flushAll());
    values(client);
    pipelines(client);
    scripts(client);
    blocking(client);
    messages(client);
    told("still there", client.get("a"));
  }

  private static void told(String what, Object value) {
    System.out.println(what + ": " + value);
  }

  private static Object failing(Supplier<Object> call) {
    try {
      return call.get();
    } catch (JedisException error) {
      return error.getClass().getSimpleName() + ": " + error.getMessage();
    }
  }

  /** What the pool has may be lost, one connection after the other. */
  private static <T> T again(Supplier<T> call) {
    while (true) {
      try {
        return call.get();
      } catch (JedisConnectionException lost) {
        continue;
      }
    }
  }

  /** Whoever started this ends all connections meanwhile. */
  private static void restarted() throws IOException {
    System.out.println("restart");
    while (System.in.read() != '\n') {}
  }

  private static void values(RedisClient client) {
    byte[] key = "key".getBytes(StandardCharsets.UTF_8);
    told("set", client.set(key, new byte[] {0, 13, 10, -1}));
    told("get", Arrays.toString(client.get(key)));
    told("nothing", client.get("nothing"));
    told("large", client.set("large", "x".repeat(300_000)) + client.get("large").length());
    told("hash", client.hset("hash", Map.of("a", "1", "b", "two")) + " " + new TreeMap<>(client.hgetAll("hash")));
    told("scores", client.zadd("sorted", Map.of("a", 1.5, "b", 2.0)) + " " + client.zrangeWithScores("sorted", 0, -1));
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 50; ++i) {
      many.addAll(List.of("many" + i, "" + i));
    }
    told("several", client.mset(many.toArray(new String[0])) + client.mget("many7", "none", "many49"));
    told("stream", client.xadd("stream", XAddParams.xAddParams().id("1-1"), Map.of("f", "v")) + " " + client.xrange("stream", "-", "+"));
    told("wrong", failing(() -> client.lpush("key", "1")));
    TreeSet<String> found = new TreeSet<>();
    for (ScanIteration all = client.scanIteration(7, "many*"); !all.isIterationCompleted(); ) {
      found.addAll(all.nextBatchList());
    }
    told("scanned", found.size());
  }

  private void pipelines(RedisClient client) {
    try (AbstractPipeline pipeline = client.pipelined()) {
      for (int i = 0; i < 200; ++i) {
        pipeline.incrBy("counter", i);
        pipeline.lpush("key", "1");
      }
      Response<String> last = pipeline.get("counter");
      pipeline.sync();
      told("pipeline", last.get());
    }
    try (AbstractTransaction transaction = client.multi()) {
      transaction.set("a", "1");
      transaction.incr("a");
      transaction.lrange("{a}none", 0, -1);
      told("transaction", transaction.exec());
    }
    try (AbstractTransaction transaction = client.transaction(false)) {
      transaction.watch("a");
      client.set("a", "10");
      transaction.multi();
      transaction.get("a");
      told("watched", transaction.exec());
    }
    try (AbstractTransaction transaction = client.multi()) {
      transaction.set("a", "2");
      told("discarded", transaction.discard() + client.get("a"));
    }
  }

  private static void scripts(RedisClient client) {
    told("script", client.eval(SCRIPT, 1, "a", "x"));
    told("by its hash", client.evalsha(client.scriptLoad(SCRIPT, "a"), 1, "a", "y"));
    told("script's error", failing(() -> client.eval("return redis.error_reply('MINE it is')", 0)));
    told("unknown script", failing(() -> client.evalsha("0".repeat(40), 0)));
  }

  private static void blocking(RedisClient client) throws InterruptedException {
    told("in vain", client.blpop(0.05, "empty"));
    Thread pusher = new Thread(() -> client.rpush("queue", "element"));
    pusher.start();
    told("popped", client.blpop(30.0, "{queue}empty", "queue"));
    pusher.join();
  }

  private static final class Hears extends JedisPubSub {
    final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    @Override
    public void onSubscribe(String channel, int count) {
      heard.add("subscribed to " + channel + " " + count);
    }

    @Override
    public void onMessage(String channel, String message) {
      heard.add(channel + ": " + message);
    }

    @Override
    public void onUnsubscribe(String channel, int count) {
      heard.add("left " + channel + " " + count);
    }
  }

  private void messages(RedisClient client) throws Exception {
    for (String round : List.of("before", "after")) {
      Hears hears = new Hears();
      Thread listener =
          new Thread(
              () -> {
                try {
                  client.subscribe(hears, "news");
                  hears.heard.add("ended");
                } catch (JedisConnectionException lost) {
                  hears.heard.add("lost");
                }
              });
      listener.setDaemon(true);
      listener.start();
      told(round, hears.heard.take());
      told(round, again(() -> client.publish("news", "hello")) + hears.heard.take());
      if (round.equals("before")) {
        restarted();
        told(round, hears.heard.take());
        again(() -> client.get("a"));
      } else {
        hears.unsubscribe();
        told(round, hears.heard.take() + ", " + hears.heard.take());
      }
      listener.join();
    }
  }
}
