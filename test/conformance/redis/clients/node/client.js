// ioredis with its default options: says what it got, line by line. client.js PORT [one: database]
'use strict';

const { once } = require('node:events');
const readline = require('node:readline');
const Redis = require('ioredis');

const port = Number(process.argv[2]);
const lines = readline.createInterface({ input: process.stdin });

function told(what, value) {
  const plain = (_, one) => (one && one.type === 'Buffer' ? Buffer.from(one.data).toString('hex') : one);
  console.log(`${what}: ${JSON.stringify(value, plain)}`);
}

// Whoever started this ends all connections meanwhile.
async function restarted() {
  console.log('restart');
  await once(lines, 'line');
}

async function failing(promise) {
  try {
    return await promise;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

async function values(client) {
  told('set', await client.set('key', Buffer.from([0, 13, 10, 255])));
  told('get', await client.getBuffer('key'));
  told('nothing', await client.get('nothing'));
  await client.set('large', 'x'.repeat(300000));
  told('large', (await client.get('large')).length);
  await client.hset('hash', { a: 1, b: 'two' });
  told('hash', await client.hgetall('hash'));
  await client.zadd('sorted', 1.5, 'a', 2, 'b');
  told('scores', await client.zrange('sorted', 0, -1, 'WITHSCORES'));
  told('several', await client.mset(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`many${n}`, n]))));
  told('got', (await client.mget(Array.from({ length: 60 }, (_, n) => `many${n}`))).slice(45, 55));
  await client.xadd('stream', '1-1', 'f', 'v');
  told('stream', await client.xrange('stream', '-', '+'));
  told('wrong', await failing(client.lpush('key', 1)));
  told('no command', await failing(client.call('NOSUCH', 'x')));
  const found = new Set();
  for await (const keys of client.scanStream({ match: 'many*', count: 7 })) keys.forEach((key) => found.add(key));
  told('scanned', found.size);
  // Asked without waiting for the one before.
  told('at once', await Promise.all(Array.from({ length: 30 }, (_, n) => client.incrby('sum', n))));
}

async function pipelines(client) {
  const pipeline = client.pipeline();
  for (let n = 0; n < 200; ++n) pipeline.incrby('counter', n).lpush('key', 1);
  const found = await pipeline.exec();
  told('pipeline', [found.length, found.at(-2), String(found.at(-1)[0])]);
  told('transaction', await client.multi().set('a', 1).incr('a').lrange('{a}none', 0, -1).exec());
  told('wrong transaction', await failing(client.multi().set('a').get('a').exec()));
  await client.watch('a');
  const other = client.duplicate();
  await other.set('a', 10);
  told('watched', await client.multi().get('a').exec());
  told('not watched', await client.multi({ pipeline: false }).then(() => client.get('a')).then(() => client.exec()));
  await other.quit();
}

async function scripts(client) {
  client.defineCommand('mine', { numberOfKeys: 1, lua: "return {KEYS[1], ARGV[1], redis.call('get', KEYS[1])}" });
  told('script', [await client.mine('a', 'x'), await client.mine('a', 'y')]);
  told("script's error", await failing(client.eval("return redis.error_reply('MINE it is')", 0)));
  told('unknown script', await failing(client.evalsha('0'.repeat(40), 0)));
}

async function blocking(client) {
  told('in vain', await client.blpop('empty', 0.05));
  const other = client.duplicate();
  const popped = client.blpop('{queue}empty', 'queue', 30);
  await other.rpush('queue', 'element');
  told('popped', await popped);
  await other.quit();
}

async function messages(client) {
  const hears = client.duplicate();
  told('subscribed', [await hears.subscribe('{n}ews', 'more'), await hears.psubscribe('{n}*')]);
  const publish = async (text) => {
    const heard = [once(hears, 'message'), once(hears, 'pmessage')];
    const receivers = await client.publish('{n}ews', text);
    told('heard', [receivers, await Promise.all(heard)]);
  };
  await publish('hello');
  told('not in this context', await failing(hears.get('a')));
  // Until there is somebody again it is told errors.
  const ready = [hears, client].map((one) => {
    one.on('error', () => {});
    return new Promise((resolve) => { one.once('ready', resolve); });
  });
  await restarted();
  await Promise.all(ready);
  // It subscribes again by itself, and says nothing of when that is done.
  while (Number((await client.publish('{n}ews', 'are you there')) < 2));
  await new Promise((resolve) => { hears.on('message', (_, text) => { if (text === 'end') resolve(); }); client.publish('{n}ews', 'end'); });
  hears.removeAllListeners('message');
  await publish('again');
  await hears.quit();
}

async function databases() {
  const third = new Redis({ port, db: 3 });
  told('another database', [await third.set('key', 3), await third.get('key'), await third.dbsize()]);
  told('selected', [await third.select(0), (await third.getBuffer('key')).length]);
  told('no such database', await failing(third.select(99)));
  await third.quit();
}

(async () => {
  const client = new Redis(port);
  told('flushed', await client.flushall());
  for (const part of [values, pipelines, scripts, blocking, messages]) await part(client);
  told('still there', await client.get('a'));
  if (process.argv.length === 3) await databases();
  told('quit', await client.quit());
  lines.close();
})();
