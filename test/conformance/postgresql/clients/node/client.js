// node-postgres: says what it got, line by line. client.js PORT NAME
'use strict';

const { once } = require('node:events');
const { Readable, Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const copies = require('pg-copy-streams');

const [port, name] = process.argv.slice(2);
const table = `node_${name}`;
const where = { host: '127.0.0.1', port: Number(port), user: 'app', database: 'shop', ssl: false };

function told(what, value) {
  console.log(`${what}: ${JSON.stringify(value)}`);
}

async function connected(use, more = {}) {
  const client = new Client({ ...where, ...more });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function failing(promise) {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error.code;
  }
}

async function statements(client) {
  await client.query(`DROP TABLE IF EXISTS ${table}`);
  await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, word text)`);
  for (let i = 0; i < 20; ++i) {
    const insert = { name: 'insert', text: `INSERT INTO ${table} VALUES ($1, $2)`, values: [i, `ü ${i}`] };
    await client.query(insert);
  }
  told('twice', await failing(client.query({ name: 'insert', text: `INSERT INTO ${table} VALUES ($1, $2)`, values: [1, ''] })));
  told('rows', (await client.query({ text: `SELECT * FROM ${table} WHERE id < $1 ORDER BY id`, values: [3] })).rows);
  told('as arrays', (await client.query({ text: 'SELECT $1::int[], $2::jsonb', values: [[1, 2], { a: 1 }], rowMode: 'array' })).rows);
  told('several', (await client.query('SELECT 1 AS a; SELECT 2 AS b')).map((result) => result.rows));
  told('error', await failing(client.query('SELECT 1/0')));
  told('syntax', await failing(client.query('SELEC')));
  told('parameters', await failing(client.query('SELECT $1::int', ['no number'])));
  told('time zone', (await client.query("SET TIME ZONE 'Asia/Tokyo'; SHOW TimeZone"))[1].rows);
  // Asked without waiting for the one before.
  const all = await Promise.all(Array.from({ length: 30 }, (_, i) => client.query({ name: `number ${i % 3}`, text: `SELECT $1::int + ${i % 3} AS n`, values: [i] })));
  told('at once', all.map((result) => result.rows[0].n));
}

async function transactions(client) {
  await client.query('BEGIN');
  await client.query(`DELETE FROM ${table} WHERE id = 1`);
  await client.query('SAVEPOINT a');
  told('in a transaction', await failing(client.query('SELECT 1/0')));
  told('aborted', await failing(client.query('SELECT 1')));
  await client.query('ROLLBACK TO a');
  await client.query('ROLLBACK');
  told('still there', (await client.query(`SELECT count(*) FROM ${table} WHERE id = 1`)).rows);
}

async function copied(client) {
  const lines = Array.from({ length: 2000 }, (_, i) => `${1000 + i}\tcopied\n`);
  const sink = client.query(copies.from(`COPY ${table} FROM STDIN`));
  await pipeline(Readable.from(lines), sink);
  told('copied in', sink.rowCount);
  let out = '';
  await pipeline(
    client.query(copies.to(`COPY (SELECT id FROM ${table} ORDER BY id) TO STDOUT`)),
    new Writable({ write: (chunk, _, done) => { out += chunk; done(); } }),
  );
  told('copied out', out.length);
  told('wrong row', await failing(pipeline(Readable.from(['no number\tx\n']), client.query(copies.from(`COPY ${table} FROM STDIN`)))));
}

async function cursors(client) {
  await client.query('BEGIN');
  const cursor = client.query(new Cursor(`SELECT id FROM ${table} ORDER BY id`));
  told('first', await cursor.read(3));
  told('next', await cursor.read(2));
  await cursor.close();
  await client.query('COMMIT');
}

async function notifications(client) {
  await client.query(`LISTEN ${table}`);
  const heard = once(client, 'notification');
  await connected((other) => other.query(`NOTIFY ${table}, 'said'`));
  const [message] = await heard;
  told('notified', [message.channel, message.payload]);
  await client.query('UNLISTEN *');
}

async function cancelled(client) {
  const asleep = failing(client.query(`SELECT pg_sleep(600) /* asleep ${table} */`));
  await connected(async (watch) => {
    const runs = `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%asleep ${table}%' AND wait_event = 'PgSleep'`;
    while ((await watch.query(runs)).rowCount !== 1);
  });
  // As the driver cancels: by a connection of its own.
  const canceller = new Client(where);
  canceller.connection.on('connect', () => canceller.connection.cancel(client.processID, client.secretKey));
  const ended = once(canceller.connection, 'end');
  canceller.connection.connect(where.port, where.host);
  await ended;
  told('cancelled', await asleep);
  told('after it', (await client.query('SELECT 1 AS one')).rows);
}

async function reconnected() {
  for (let i = 0; i < 10; ++i) {
    told('again', (await connected((client) => client.query('SHOW application_name'), { application_name: `again ${i}` })).rows);
  }
  const pool = new Pool({ ...where, max: 5 });
  const sums = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('SELECT $1::int * 2 AS n', [i])));
  told('by its pool', sums.reduce((sum, result) => sum + result.rows[0].n, 0));
  await pool.end();
}

(async () => {
  await connected(async (client) => {
    for (const part of [statements, transactions, copied, cursors, notifications, cancelled]) await part(client);
  });
  await reconnected();
})();
