/** What the page shows; all of it is in the address, so that the address can be shared. */
export interface PageState {
  view: View;
  namespace: string | null;
  /** Null until the reader picks any: the heaviest few are shown. */
  pins: string[] | null;
  minutes: number;
  confidence: number;
  /** Whether tiles have lines, or numbers only. */
  lines: boolean;
  sql: string | null;
}

export const views = ['board', 'overview', 'sql', 'alerts'] as const;
export type View = (typeof views)[number];

/** How much time a line shows: 5 minutes to 30 days. */
export const ranges = [
  [5, '5 min'],
  [15, '15 min'],
  [60, '1 hour'],
  [360, '6 hours'],
  [1_440, '24 hours'],
  [10_080, '7 days'],
  [43_200, '30 days'],
] as const;
export const confidences = [0.9, 0.95, 0.99, 0.999] as const;
export const maxPins = 24;

const standard = { view: 'board', minutes: 5, confidence: 0.99 } as const;

export function readHash(hash: string): PageState {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const pins = fields.getAll('pin').filter((name) => name.length > 0);
  return {
    view: oneOf(views, fields.get('view'), standard.view),
    namespace: fields.get('ns'),
    pins: fields.has('pin') || fields.has('empty') ? [...new Set(pins)].slice(0, maxPins) : null,
    minutes: oneOf(ranges.map(([minutes]) => minutes), Number(fields.get('minutes')), standard.minutes),
    confidence: oneOf(confidences, Number(fields.get('confidence')), standard.confidence),
    lines: fields.get('lines') !== '0',
    sql: fields.get('sql'),
  };
}

export function writeHash(state: PageState): string {
  const fields = new URLSearchParams();
  if (state.view !== standard.view) fields.set('view', state.view);
  if (state.namespace !== null) fields.set('ns', state.namespace);
  for (const name of state.pins ?? []) fields.append('pin', name);
  if (state.pins?.length === 0) fields.set('empty', '1');
  if (state.minutes !== standard.minutes) fields.set('minutes', String(state.minutes));
  if (state.confidence !== standard.confidence) fields.set('confidence', String(state.confidence));
  if (!state.lines) fields.set('lines', '0');
  if (state.view === 'sql' && state.sql !== null) fields.set('sql', state.sql);
  return `#${fields.toString()}`;
}

function oneOf<T>(allowed: readonly T[], value: unknown, otherwise: T): T {
  return allowed.find((item) => item === value) ?? otherwise;
}
