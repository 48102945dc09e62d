import type { SketchClient } from '@sketch/client';
import type { Past } from './series';

/** Up to here windows are asked for, each a few seconds; beyond, hours. Windows are kept for two days. */
const windowMinutes = 360;
const pointsWanted = 150;

// The total is read by the same statement as what is taken off it. A reset is a negative delta, so a line falls where the counter did.
const windows = `
SELECT c.name AS name, min(toUnixTimestamp64Milli(d.time)) AS at, sum(d.delta) AS delta
FROM deltas AS d INNER JOIN (SELECT id, name FROM counters WHERE namespace = {ns:String} AND name IN {names:Array(String)}) AS c ON c.id = d.id
WHERE d.namespace = {ns:String} AND d.time >= fromUnixTimestamp64Milli({from:Int64})
  AND d.id IN (SELECT id FROM counters WHERE namespace = {ns:String} AND name IN {names:Array(String)})
GROUP BY name, toUnixTimestamp(d.time) DIV {step:UInt32}`;
const hours = `
SELECT name, toInt64(toUnixTimestamp(hour)) * 1000 AS at, sum(value) AS delta
FROM history_hourly WHERE namespace = {ns:String} AND name IN {names:Array(String)} AND hour >= fromUnixTimestamp64Milli({from:Int64})
GROUP BY name, at`;
// Counts of distinct elements don't subtract: each minute at whose end one is known has it, and each hour before the first its last.
const distincts = `
SELECT name, max(toInt64(toUnixTimestamp(counted.1))) AS at, max(counted.2) AS count
FROM distincts_hourly ARRAY JOIN counts AS counted
WHERE namespace = {ns:String} AND name IN {names:Array(String)} AND hour >= toStartOfHour(fromUnixTimestamp64Milli({from:Int64})) - INTERVAL 1 HOUR
  AND counted.1 + INTERVAL 1 MINUTE <= now()
GROUP BY name, toUnixTimestamp(counted.1) DIV {step:UInt32}
ORDER BY name, at`;
const totals = `
UNION ALL SELECT name, toInt64(-1) AS at, value AS delta FROM totals WHERE namespace = {ns:String} AND name IN {names:Array(String)}`;

/** The values of some counters over the last minutes, from ClickHouse. */
export async function loadPast(client: SketchClient, namespace: string, names: readonly string[], minutes: number, signal: AbortSignal): Promise<Map<string, Past>> {
  const from = Date.now() - minutes * 60_000;
  const [sums, counts] = await Promise.all([loadSums(client, namespace, names, minutes, from, signal), loadCounts(client, namespace, names, minutes, from, signal)]);
  return new Map([...sums, ...counts]);
}

async function loadCounts(
  client: SketchClient, namespace: string, names: readonly string[], minutes: number, from: number, signal: AbortSignal,
): Promise<Map<string, Past>> {
  const answer = await client.rest.sql(distincts, { ns: namespace, names: list(names), from, step: Math.max(60, Math.round((minutes * 60) / pointsWanted)) }, signal);
  const lines = new Map<string, { times: number[]; values: number[] }>();
  for (const [name, at, count] of answer.rows) {
    const line = lines.get(String(name)) ?? { times: [], values: [] };
    lines.set(String(name), line);
    line.times.push(Number(at) + 60);
    line.values.push(Number(count));
  }
  return lines;
}

async function loadSums(
  client: SketchClient, namespace: string, names: readonly string[], minutes: number, from: number, signal: AbortSignal,
): Promise<Map<string, Past>> {
  const answer = await client.rest.sql(
    `SELECT name, at, delta FROM (${minutes <= windowMinutes ? windows : hours}${totals}) ORDER BY name, at`,
    { ns: namespace, names: list(names), from, step: Math.max(1, Math.round((minutes * 60) / pointsWanted)) },
    signal,
  );
  const steps = new Map<string, { total: number; at: number[]; deltas: number[] }>();
  for (const [name, at, delta] of answer.rows) {
    const key = String(name);
    const counter = steps.get(key) ?? { total: 0, at: [], deltas: [] };
    steps.set(key, counter);
    if (Number(at) < 0) counter.total = Number(delta);
    else {
      counter.at.push(Number(at) / 1000);
      counter.deltas.push(Number(delta));
    }
  }
  return new Map([...steps].map(([name, { total, at, deltas }]) => [name, backwards(total, at, deltas, from / 1000)]));
}

// From the total of now, step by step back: the value before each step.
function backwards(total: number, at: readonly number[], deltas: readonly number[], from: number): Past {
  const values: number[] = [];
  let value = total;
  for (let index = deltas.length - 1; index >= 0; index--) values[index] = value -= deltas[index] ?? 0;
  // A line begins with its counter, not with a long zero before it.
  return value === 0 ? { times: at, values } : { times: [from, ...at.map((time) => Math.max(time, from + 0.001))], values: [value, ...values] };
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => `'${name.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\t/g, '\\t').replace(/\n/g, '\\n')}'`).join(',')}]`;
}
