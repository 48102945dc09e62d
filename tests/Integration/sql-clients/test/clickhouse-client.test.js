// ClickHouse's client for Node.js against the SQL port of a node. The namespace 'fruit' has: apple 7, pear 3.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { ClickHouseError, createClient } from '@clickhouse/client';

const url = process.env.SKETCH_SQL_URL;
assert.ok(url, 'SKETCH_SQL_URL is missing; allowed: the address of a node\'s SQL port');
const client = createClient({ url });
after(() => client.close());

const slow = 'SELECT count() FROM numbers(100000000000) WHERE NOT ignore(number)';
const rows = async (query, options = {}) => (await client.query({ query, format: 'JSONEachRow', ...options })).json();

test('pings', async () => {
  assert.deepEqual(await client.ping(), { success: true });
  assert.deepEqual(await client.ping({ select: true }), { success: true });
});

test('lists tables', async () => {
  const names = (await rows("SELECT name FROM system.tables WHERE database = 'sketch'")).map((row) => row.name);
  for (const name of ['counters', 'totals', 'history_hourly', 'live_values']) assert.ok(names.includes(name), name);
  assert.ok((await rows('SHOW TABLES')).length >= names.length);
});

test('reads counters with parameters', async () => {
  const query = 'SELECT name, toInt32(value) AS value FROM live_values WHERE namespace = {space:String} AND name IN {names:Array(String)} ORDER BY name';
  const found = await rows(query, { query_params: { space: 'fruit', names: ['apple', 'pear', "it's \\ not"] } });
  assert.deepEqual(found, [{ name: 'apple', value: 7 }, { name: 'pear', value: 3 }]);
});

test('reads a long answer as it comes', async () => {
  const result = await client.query({ query: 'SELECT number FROM numbers(500000)', format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } });
  let next = 0;
  for await (const batch of result.stream()) {
    for (const row of batch) assert.equal(row.json().number, next++);
  }
  assert.equal(next, 500000);
});

test('takes compressed answers', async () => {
  const compressing = createClient({ url, compression: { request: true, response: true } });
  const result = await compressing.query({ query: 'SELECT number FROM numbers(100000)', format: 'CSV' });
  assert.equal((await result.text()).split('\n').length, 100001);
  await compressing.close();
});

test('a refused statement is a ClickHouseError', async () => {
  for (const [query, code] of [['DROP TABLE total_rows', '497'], ["SELECT file('/etc/passwd')", '497'], ['SELECT nothing', '47']]) {
    await assert.rejects(client.query({ query }), (error) => error instanceof ClickHouseError && error.code === code);
  }
});

test('an error in mid-stream ends the stream with an error', async () => {
  const query = 'SELECT throwIf(number = 900000) AS x FROM numbers(1000000)';
  const result = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { max_block_size: '10000' } });
  await assert.rejects(async () => {
    for await (const batch of result.stream()) assert.ok(batch.length >= 0);
  });
});

test('a long statement says how far it is in headers, and its error comes whole', async () => {
  const settings = { send_progress_in_http_headers: 1, http_headers_progress_interval_ms: '20', max_execution_time: 1 };
  await assert.rejects(client.query({ query: slow, clickhouse_settings: settings }), (error) => error instanceof ClickHouseError && error.code === '159');
});

test('an abort cancels the statement', async () => {
  const abort = new AbortController();
  const query_id = randomUUID();
  const asked = client.query({ query: slow, query_id, abort_signal: abort.signal });
  setTimeout(() => abort.abort(), 300);
  await assert.rejects(asked);
  // Eight statements of readers run at the same time: those that went on would keep these waiting until their minute is over.
  const many = await Promise.all(Array.from({ length: 8 }, async () => {
    const one = new AbortController();
    const waiting = client.query({ query: slow, abort_signal: one.signal }).catch(() => 'aborted');
    setTimeout(() => one.abort(), 200);
    return waiting;
  }));
  assert.deepEqual(many, Array(8).fill('aborted'));
  const began = Date.now();
  assert.equal((await rows('SELECT 1 AS x'))[0].x, 1);
  assert.ok(Date.now() - began < 10000, 'statements of clients that left went on');
});
