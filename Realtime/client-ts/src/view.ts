import type { CounterValue, Frame } from './types.js';

/** All values of a watch as of one moment: what the frames so far add up to. */
export class LiveView {
  readonly values = new Map<string, CounterValue>();
  asOf = '';

  /** Takes the next frame in. */
  apply(frame: Frame): void {
    if (isSnapshot(frame)) this.values.clear();
    for (const name of frame.removed ?? []) this.values.delete(name);
    for (const value of frame.values) this.values.set(value.name, value);
    this.asOf = frame.asOf;
  }
}

/** True when a frame holds all values. */
export function isSnapshot(frame: Frame): boolean {
  return frame.snapshot === true || frame.number === 1;
}

/** One frame that says what two in a row said. */
export function merge(earlier: Frame, later: Frame): Frame {
  if (isSnapshot(later)) return later;
  const values = new Map(earlier.values.map((value) => [value.name, value]));
  const removed = new Set(earlier.removed);
  for (const name of later.removed ?? []) {
    values.delete(name);
    removed.add(name);
  }
  for (const value of later.values) {
    removed.delete(value.name);
    values.set(value.name, value);
  }
  return {
    ...later,
    ...(isSnapshot(earlier) && { snapshot: true }),
    skipped: earlier.skipped + later.skipped + 1,
    values: [...values.values()],
    removed: [...removed],
  };
}

/** How far the truth may be away, at most, on either side: the number behind the ±. */
export function halfWidth(value: { readonly value: number; readonly lower: number; readonly upper: number }): number {
  return Math.max(value.value - value.lower, value.upper - value.value, 0);
}
