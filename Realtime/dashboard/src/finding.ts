import type { CounterValue, SketchClient } from '@sketch/client';

/** A label that counters have. */
export interface Label {
  readonly name: string;
  readonly value: string;
  readonly counters: number;
}

const labelled = `
SELECT name FROM counters WHERE namespace = {ns:String} AND labels[{label:String}] != '' AND startsWith(labels[{label:String}], {value:String}) AND startsWith(name, {prefix:String})
ORDER BY name LIMIT {limit:UInt32}`;
const labels = `
SELECT label, value, count() AS counters FROM counters ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
WHERE namespace = {ns:String} GROUP BY label, value ORDER BY counters DESC, label, value LIMIT 6`;

/** Counters whose name begins so; when it reads label=value and perhaps the beginning of a name, also those with the label. */
export async function find(client: SketchClient, namespace: string, text: string, limit: number, signal: AbortSignal): Promise<readonly CounterValue[]> {
  const byName = client.rest.find(namespace, text, limit, signal);
  const [, label, value, prefix] = /^([^\s=]+)=(\S*)(?:\s+(.*))?$/s.exec(text) ?? [];
  if (label === undefined) return byName;
  const byLabel = client.rest.sql(labelled, { ns: namespace, label, value: value ?? '', prefix: prefix ?? '', limit }, signal);
  const [named, found] = await Promise.all([byName, byLabel]);
  const names = found.rows.map(([name]) => String(name));
  const values = names.length === 0 ? [] : await client.rest.values(namespace, names, signal);
  return [...values, ...named.filter((each) => !names.includes(each.name))].slice(0, limit);
}

/** The labels that most counters have, once a checkpoint has stored them. */
export async function knownLabels(client: SketchClient, namespace: string, signal: AbortSignal): Promise<readonly Label[]> {
  try {
    const answer = await client.rest.sql(labels, { ns: namespace }, signal);
    return answer.rows.map(([name, value, counters]) => ({ name: String(name), value: String(value), counters: Number(counters) }));
  } catch {
    // Without ClickHouse there are no suggestions; names are found all the same.
    return [];
  }
}
