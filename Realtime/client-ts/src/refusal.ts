/** What the node refused, in its own words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The node's own sentence out of the hub library's; null when a call ended for another reason. */
export function refusalIn(failure: unknown): string | null {
  return failure instanceof Error ? (/(?:Hub|Refused)Exception:\s*(.*)$/s.exec(failure.message)?.[1] ?? null) : null;
}
