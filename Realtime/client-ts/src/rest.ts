import { Refusal } from './refusal.js';
import type { Alert, AlertRule, CounterValue, Health, HistoryPoint, Namespace, NamespaceAccuracy, SqlAnswer, TopItem } from './types.js';

/** Questions with one answer each. All of them throw a Refusal when the node says no. */
export class Rest {
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async namespaces(signal?: AbortSignal): Promise<readonly Namespace[]> {
    return (await this.#get<{ namespaces: readonly Namespace[] }>('/v1/namespaces', signal)).namespaces;
  }

  /** The first counters by name that begin with the prefix. */
  async find(namespace: string, prefix: string, limit: number, signal?: AbortSignal): Promise<readonly CounterValue[]> {
    const query = new URLSearchParams({ prefix, limit: String(limit) });
    return (await this.#get<{ values: readonly CounterValue[] }>(`${path(namespace)}/counters?${query}`, signal)).values;
  }

  /** One consistent cut of up to 1,000 counters; names that don't exist are left out. */
  async values(namespace: string, names: readonly string[], signal?: AbortSignal): Promise<readonly CounterValue[]> {
    const answer = await this.#ask(`${path(namespace)}/values`, { method: 'POST', body: JSON.stringify({ names }), headers: { 'content-type': 'application/json' } }, signal);
    return ((await answer.json()) as { values: readonly CounterValue[] }).values;
  }

  /** The largest items of a counter of the kind top. */
  async items(namespace: string, name: string, k: number, signal?: AbortSignal): Promise<readonly TopItem[]> {
    return (await this.#get<{ items: readonly TopItem[] }>(`${path(namespace, name)}/top?k=${k}`, signal)).items;
  }

  /** Exact sums by the hour, from the stored checkpoints; of the kind distinct how many different elements came in each. */
  async history(namespace: string, name: string, from: Date, to: Date, step = '1h', signal?: AbortSignal): Promise<readonly HistoryPoint[]> {
    const query = new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), step });
    return (await this.#get<{ points: readonly HistoryPoint[] }>(`${path(namespace, name)}/history?${query}`, signal)).points;
  }

  async accuracy(namespace: string, signal?: AbortSignal): Promise<NamespaceAccuracy> {
    return this.#get(`${path(namespace)}/accuracy`, signal);
  }

  async alerts(namespace: string, signal?: AbortSignal): Promise<readonly Alert[]> {
    return (await this.#get<{ alerts: readonly Alert[] }>(`${path(namespace)}/alerts`, signal)).alerts;
  }

  /** Makes a rule, or replaces the one of this id. */
  async putAlert(namespace: string, id: string, rule: AlertRule, signal?: AbortSignal): Promise<Alert> {
    const request = { method: 'PUT', body: JSON.stringify(rule), headers: { 'content-type': 'application/json' } };
    return (await (await this.#ask(`${path(namespace)}/alerts/${encodeURIComponent(id)}`, request, signal)).json()) as Alert;
  }

  async deleteAlert(namespace: string, id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask(`${path(namespace)}/alerts/${encodeURIComponent(id)}`, { method: 'DELETE' }, signal);
  }

  /** Also when the node is not ready: then its status and reason say why. */
  async health(signal?: AbortSignal): Promise<Health> {
    const response = await fetch(this.#origin + '/health/ready', { signal: signal ?? null });
    return (await response.json()) as Health;
  }

  /** One statement that reads, with its parameters: {name:String} in the statement, name here. */
  async sql(statement: string, parameters: Readonly<Record<string, string | number>> = {}, signal?: AbortSignal): Promise<SqlAnswer> {
    const query = new URLSearchParams({ default_format: 'JSONCompact', output_format_json_quote_64bit_integers: '1', output_format_json_quote_denormals: '1' });
    for (const [name, value] of Object.entries(parameters)) query.set(`param_${name}`, String(value));
    const answer = await this.#ask(`/v1/sql?${query}`, { method: 'POST', body: statement, headers: { 'content-type': 'application/sql' } }, signal);
    return readSql(await answer.text());
  }

  async #get<T>(address: string, signal: AbortSignal | undefined): Promise<T> {
    return (await (await this.#ask(address, {}, signal)).json()) as T;
  }

  async #ask(address: string, request: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const response = await fetch(this.#origin + address, { ...request, signal: signal ?? null });
    if (response.ok) return response;
    const text = await response.text();
    throw new Refusal(response.status, problemIn(text) ?? (text.trim() || `The node answered ${response.status}.`));
  }
}

function path(namespace: string, counter?: string): string {
  const start = `/v1/namespaces/${encodeURIComponent(namespace)}`;
  return counter === undefined ? start : `${start}/counters/${encodeURIComponent(counter)}`;
}

function problemIn(text: string): string | null {
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? null;
  } catch {
    return null;
  }
}

// A statement with a FORMAT of its own is answered in that: its lines are then the rows.
function readSql(text: string): SqlAnswer {
  try {
    const answer = JSON.parse(text) as {
      meta: SqlAnswer['columns'];
      data: SqlAnswer['rows'];
      statistics?: { elapsed: number; rows_read: number; bytes_read: number };
    };
    if (Array.isArray(answer.meta) && Array.isArray(answer.data) && answer.data.every(Array.isArray)) {
      const read = answer.statistics;
      return { columns: answer.meta, rows: answer.data, seconds: read?.elapsed ?? 0, rowsRead: read?.rows_read ?? 0, bytesRead: read?.bytes_read ?? 0 };
    }
  } catch {
    // Not JSON.
  }
  const lines = text.replace(/\n$/, '').split('\n');
  return { columns: [{ name: 'text', type: 'String' }], rows: lines.map((line) => [line]), seconds: 0, rowsRead: 0, bytesRead: 0 };
}
