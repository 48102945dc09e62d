import type { CounterValue, Namespace } from './types';

/** What the node refused, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function listNamespaces(signal?: AbortSignal): Promise<readonly Namespace[]> {
  const answer = await get<{ namespaces: readonly Namespace[] }>('/v1/namespaces', signal);
  return answer.namespaces;
}

export async function findCounters(namespace: string, prefix: string, limit: number, signal?: AbortSignal): Promise<readonly CounterValue[]> {
  const query = new URLSearchParams({ prefix, limit: String(limit) });
  const answer = await get<{ values: readonly CounterValue[] }>(`/v1/namespaces/${encodeURIComponent(namespace)}/counters?${query}`, signal);
  return answer.values;
}

async function get<T>(path: string, signal: AbortSignal | undefined): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null });
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  throw new Refusal(response.status, problem.detail ?? problem.title ?? `The node answered ${response.status}.`);
}
