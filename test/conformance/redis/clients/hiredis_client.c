// hiredis: says what it got, line by line. hiredis_client PORT [one: database]
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int port;

static void shown(const redisReply* reply) {
  switch (reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      printf(reply->type == REDIS_REPLY_ERROR ? "!" : "\"");
      for (size_t i = 0; i < reply->len && i < 200; ++i) printf("%c", reply->str[i] < ' ' ? '?' : reply->str[i]);
      printf("\" (%zu)", reply->len);
      break;
    case REDIS_REPLY_INTEGER:
      printf("%lld", reply->integer);
      break;
    case REDIS_REPLY_ARRAY:
      printf("[");
      for (size_t i = 0; i < reply->elements; ++i) {
        shown(reply->element[i]);
        printf(" ");
      }
      printf("]");
      break;
    default:
      printf("nil");
  }
}

static void told(const char* what, redisReply* reply) {
  printf("%s: ", what);
  if (reply == NULL) {
    printf("lost");
  } else {
    shown(reply);
    freeReplyObject(reply);
  }
  printf("\n");
  fflush(stdout);
}

static redisContext* connected(void) {
  redisContext* context = redisConnect("127.0.0.1", port);
  if (context == NULL || context->err != 0) {
    fprintf(stderr, "no connection: %s\n", context == NULL ? "no memory" : context->errstr);
    exit(1);
  }
  return context;
}

static void asked(redisContext* context, const char* what, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  told(what, redisvCommand(context, format, arguments));
  va_end(arguments);
}

static void next(redisContext* context, const char* what) {
  void* reply = NULL;
  redisGetReply(context, &reply);
  told(what, reply);
}

// Whoever started this ends all connections meanwhile.
static void restarted(void) {
  printf("restart\n");
  fflush(stdout);
  getchar();
}

static void values(redisContext* context) {
  asked(context, "flushed", "FLUSHALL");
  asked(context, "name", "CLIENT SETNAME hiredis");
  asked(context, "set", "SET key %b", "a\0b\r\n", (size_t)5);
  asked(context, "get", "GET key");
  asked(context, "nothing", "GET nothing");
  const size_t size = 300000;
  char* large = malloc(size);
  memset(large, 'x', size);
  asked(context, "large", "SET large %b", large, size);
  free(large);
  asked(context, "large again", "GET large");
  asked(context, "wrong", "LPUSH key 1");
  asked(context, "no command", "NOSUCH x");
  asked(context, "several", "MSET a 1 b 2 c 3");
  asked(context, "several again", "MGET a b none c");
  asked(context, "scores", "ZADD sorted 1.5 a 2 b");
  asked(context, "range", "ZRANGE sorted 0 -1 WITHSCORES");
  asked(context, "script", "EVAL %s 1 a x", "return {KEYS[1], ARGV[1], redis.call('get', KEYS[1]), {1, {2}}}");
  asked(context, "unknown script", "EVALSHA %s 0", "0123456789012345678901234567890123456789");
  asked(context, "in vain", "BLPOP empty 0.05");
}

static void pipelines(redisContext* context) {
  for (int i = 0; i < 1000; ++i) redisAppendCommand(context, "INCRBY counter %d", i);
  long long sum = 0;
  for (int i = 0; i < 1000; ++i) {
    redisReply* reply = NULL;
    if (redisGetReply(context, (void**)&reply) != REDIS_OK) exit(1);
    sum += reply->integer;
    freeReplyObject(reply);
  }
  printf("pipeline: %lld\n", sum);
  for (const char* const* line = (const char* const[]){"MULTI", "SET a 1", "INCR a", "LPUSH a 1", "EXEC", NULL}; *line != NULL;
       ++line) {
    redisAppendCommand(context, *line);
  }
  for (int i = 0; i < 5; ++i) next(context, "transaction");
  redisContext* other = connected();
  asked(context, "watch", "WATCH a");
  asked(other, "changed", "SET a 10");
  asked(context, "multi", "MULTI");
  asked(context, "queued", "GET a");
  asked(context, "watched", "EXEC");
  redisAppendCommand(context, "BLPOP {queue}empty queue 30");
  int done = 0;
  while (!done) redisBufferWrite(context, &done);
  asked(other, "pushed", "RPUSH queue element");
  next(context, "popped");
  redisFree(other);
}

static void messages(redisContext* context) {
  redisContext* hears = connected();
  asked(hears, "subscribed", "SUBSCRIBE news");
  asked(hears, "subscribed", "PSUBSCRIBE other*");
  asked(context, "published", "PUBLISH news hello");
  next(hears, "heard");
  asked(hears, "not in this context", "GET a");
  restarted();
  next(hears, "after the restart");
  asked(context, "after the restart", "GET a");
  if (redisReconnect(hears) != REDIS_OK || redisReconnect(context) != REDIS_OK) exit(1);
  asked(hears, "subscribed again", "SUBSCRIBE news");
  asked(context, "published again", "PUBLISH news again");
  next(hears, "heard again");
  redisFree(hears);
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  port = atoi(arguments[1]);
  redisContext* context = connected();
  values(context);
  pipelines(context);
  messages(context);
  asked(context, "still there", "GET a");
  if (count == 2) {
    asked(context, "database", "SELECT 3");
    asked(context, "empty", "DBSIZE");
    asked(context, "no such database", "SELECT 99");
  }
  asked(context, "quit", "QUIT");
  redisFree(context);
  return 0;
}
