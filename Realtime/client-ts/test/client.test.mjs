// Against a real node at SKETCH_URL: npm test --workspace Realtime/client-ts
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { halfWidth, isSnapshot, LiveView, merge, Refusal, SketchClient } from '../dist/index.js';
import { AlertBook } from '../dist/alerts.js';

const url = process.env.SKETCH_URL ?? 'http://127.0.0.1:8080';
const namespace = `client-${process.pid}`;
const options = { timeout: 60_000 };
let client;

async function count(...increments) {
  const answer = await fetch(`${url}/v1/namespaces/${namespace}/increments`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ increments }),
  });
  assert.ok(answer.ok, await answer.text());
}

async function define(name, definition) {
  const path = `${url}/v1/namespaces/${namespace}${name === null ? '' : `/counters/${encodeURIComponent(name)}`}`;
  const answer = await fetch(path, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(definition) });
  assert.ok(answer.ok, await answer.text());
}

before(async () => {
  await define(null, { tier: 'eventual' });
  await define('pages', { kind: 'top', labels: { team: 'web' } });
  await count({ name: 'a', delta: 1 }, { name: 'b', delta: 2 }, { name: 'pages', element: '/', delta: 5 });
  client = new SketchClient(url);
});
after(() => client.close());

test('watch calls back with all values, and again when one changes', options, async () => {
  const seen = [];
  await new Promise((resolve, reject) => {
    const stop = client.watch({ namespace, names: ['a', 'b'], intervalMs: 50 }, (view) => {
      seen.push([view.values.get('a')?.value, view.values.get('b')?.value]);
      if (seen.length === 1) count({ name: 'a', delta: 41 }).catch(reject);
      if (view.values.get('a')?.value === 42) resolve(stop());
    }, reject);
  });
  assert.deepEqual(seen[0], [1, 2]);
  assert.deepEqual(seen.at(-1), [42, 2]);
});

test('frames begin with a snapshot, and a loop that is left ends the watch', options, async () => {
  for await (const frame of client.frames({ namespace, prefix: 'b', intervalMs: 50 })) {
    assert.ok(isSnapshot(frame));
    assert.deepEqual(frame.values.map((value) => [value.name, value.lower, value.value, value.upper, value.exact]), [['b', 2, 2, 2, true]]);
    assert.equal(halfWidth(frame.values[0]), 0);
    break;
  }
});

test('counters are watched by their labels', options, async () => {
  for await (const frame of client.frames({ namespace, labels: { team: 'web' }, intervalMs: 50 })) {
    assert.deepEqual(frame.values.map((value) => value.name), ['pages']);
    break;
  }
});

test('what the node refuses is said in its words', options, async () => {
  await assert.rejects(async () => {
    for await (const _frame of client.frames({ namespace, top: 0 })) break;
  }, (failure) => failure instanceof Refusal && /top/.test(failure.message));
  await assert.rejects(client.rest.accuracy('no such'), (failure) => failure instanceof Refusal && failure.status === 404);
});

test('questions with one answer', options, async () => {
  assert.ok((await client.rest.namespaces()).some((known) => known.name === namespace && known.tier === 'eventual'));
  assert.deepEqual((await client.rest.find(namespace, 'b', 10)).map((value) => value.name), ['b']);
  for await (const { values } of client.frames({ namespace, names: ['pages'], intervalMs: 50 })) {
    if (values[0]?.items === undefined) continue;
    assert.deepEqual(values[0].items, [{ item: '/', value: 5, lower: 5, upper: 5, certain: true, exact: true }]);
    assert.ok(Date.parse(values[0].itemsAsOf) > Date.now() - 60_000);
    break;
  }
  assert.deepEqual((await client.rest.items(namespace, 'pages', 3)).map(({ item, value }) => [item, value]), [['/', 5]]);
  assert.equal((await client.rest.health()).status, 'ready');
  const answer = await client.rest.sql('SELECT {n:String} AS name, toInt64(9223372036854775807) AS large', { n: "it's \\ <b>" });
  assert.deepEqual(answer.rows, [["it's \\ <b>", '9223372036854775807']]);
  await assert.rejects(client.rest.sql('DROP TABLE totals'), Refusal);
});

test('rules are told with their states', options, async () => {
  const told = new Promise((resolve, reject) => {
    const stop = client.watchAlerts(namespace, (alerts) => {
      if (alerts.some((alert) => alert.id === 'many' && alert.state === 'firing')) resolve(stop());
    }, reject);
  });
  await client.rest.putAlert(namespace, 'many', { counter: 'b', above: 1 });
  await told;
  assert.deepEqual((await client.rest.alerts(namespace)).map((alert) => alert.id), ['many']);
  await client.rest.deleteAlert(namespace, 'many');
  assert.deepEqual(await client.rest.alerts(namespace), []);
});

test('a state that overtakes the answer to a subscription stands', async () => {
  const told = [];
  let onAlert;
  const connection = {
    state: 'Connected',
    on: (_, receive) => (onAlert = receive),
    invoke: async () => {
      onAlert({ namespace, id: 'busy', state: 'ok' });
      onAlert({ namespace, id: 'gone', state: 'deleted' });
      return { subscription: 1, alerts: [{ namespace, id: 'busy', state: 'unknown' }, { namespace, id: 'gone', state: 'ok' }] };
    },
  };
  new AlertBook(connection).watch(namespace, (alerts) => told.push(alerts.map(({ id, state }) => [id, state])));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told.at(-1), [['busy', 'ok']]);
});

test('two frames in one say what both said', () => {
  const value = (name, count) => ({ name, value: count, lower: count, upper: count });
  const first = { number: 1, asOf: '1', skipped: 0, values: [value('a', 1), value('b', 1), value('c', 1)] };
  const second = { number: 2, asOf: '2', skipped: 1, values: [value('a', 2)], removed: ['b'] };
  const third = { number: 3, asOf: '3', skipped: 0, values: [value('b', 3)], removed: ['c'] };
  const [apart, together] = [new LiveView(), new LiveView()];
  for (const frame of [first, second, third]) apart.apply(frame);
  const merged = merge(merge(first, second), third);
  together.apply(merged);
  assert.deepEqual([...together.values].sort(), [...apart.values].sort());
  assert.equal(merged.skipped, 3);
});
