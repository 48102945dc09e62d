/** What the page shows; all of it is in the address, so that the address can be shared. */
export interface BoardState {
  namespace: string | null;
  /** Null until the reader picks any: the heaviest few are shown. */
  pins: string[] | null;
  minutes: number;
  confidence: number;
}

export const windows = [1, 5, 15] as const;
export const confidences = [0.9, 0.95, 0.99, 0.999] as const;
export const maxPins = 24;

export function readHash(hash: string): BoardState {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const pins = fields.getAll('pin').filter((name) => name.length > 0);
  return {
    namespace: fields.get('ns'),
    pins: fields.has('pin') || fields.has('empty') ? [...new Set(pins)].slice(0, maxPins) : null,
    minutes: oneOf(windows, Number(fields.get('minutes')), 5),
    confidence: oneOf(confidences, Number(fields.get('confidence')), 0.99),
  };
}

export function writeHash(state: BoardState): string {
  const fields = new URLSearchParams();
  if (state.namespace !== null) fields.set('ns', state.namespace);
  for (const name of state.pins ?? []) fields.append('pin', name);
  if (state.pins?.length === 0) fields.set('empty', '1');
  if (state.minutes !== 5) fields.set('minutes', String(state.minutes));
  if (state.confidence !== 0.99) fields.set('confidence', String(state.confidence));
  return `#${fields.toString()}`;
}

function oneOf<T extends number>(allowed: readonly T[], value: number, otherwise: T): T {
  return allowed.find((item) => item === value) ?? otherwise;
}
