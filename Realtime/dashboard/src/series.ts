import type { CounterValue } from '@sketch/client';

/** No line is drawn over a silence longer than this. */
const gapSeconds = 8;

/** What the page has seen itself is kept for this long; what is older comes from ClickHouse. */
const seenSeconds = 900;

/** Exact values of the past. */
export interface Past {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** Times, lower bounds, upper bounds, values. */
export type Columns = [number[], (number | null)[], (number | null)[], (number | null)[]];

/** The past of one counter: what was stored, then what was seen, with bounds and the moments up to which it was exact. */
export class Series {
  /** Moments (seconds) that the checkpoint moved to, while values were estimates. */
  readonly exactMoments: number[] = [];
  current: CounterValue | null = null;
  past: Past | null = null;
  readonly #times: number[] = [];
  readonly #values: (number | null)[] = [];
  readonly #lower: (number | null)[] = [];
  readonly #upper: (number | null)[] = [];

  /** The moment of the newest value, in seconds. */
  get last(): number | undefined {
    return this.#times.at(-1);
  }

  /** Takes the newest value, or none when it did not change, as of a moment (seconds). */
  advance(asOf: number, value: CounterValue | null): void {
    if (value !== null) {
      this.#markExact(value);
      this.current = value;
    }
    if (this.current === null) return;
    const last = this.last;
    if (last !== undefined && asOf <= last) return;
    if (last !== undefined && asOf - last > gapSeconds) this.#push(last + 0.001, null);
    this.#push(asOf, this.current);
    this.#forget(asOf - seenSeconds);
  }

  /** All of it from a moment on, for a plot. */
  columns(from: number): Columns {
    const seen = this.#times.findIndex((time) => time >= from);
    const start = seen < 0 ? this.#times.length : seen;
    const first = this.#times[start] ?? Infinity;
    const times: number[] = [];
    const values: number[] = [];
    let before: number | undefined;
    for (const [index, time] of (this.past?.times ?? []).entries()) {
      if (time >= first) break;
      const value = this.past?.values[index] ?? 0;
      if (time < from) before = value;
      else {
        times.push(time);
        values.push(value);
      }
    }
    if (before !== undefined && first > from) {
      times.unshift(from);
      values.unshift(before);
    }
    return [
      [...times, ...this.#times.slice(start)],
      [...values, ...this.#lower.slice(start)],
      [...values, ...this.#upper.slice(start)],
      [...values, ...this.#values.slice(start)],
    ];
  }

  // A counter that is exact anyway has no moment at which it became so; the mark of one that rests moves with every look.
  #markExact(value: CounterValue): void {
    const before = this.current;
    if (value.tier !== 'approximate' || (before?.exact === true && value.exact)) return;
    const moment = Date.parse(value.exactAsOf) / 1000;
    if (moment > (this.exactMoments.at(-1) ?? -Infinity)) this.exactMoments.push(moment);
  }

  #push(time: number, value: CounterValue | null): void {
    this.#times.push(time);
    this.#values.push(value?.value ?? null);
    this.#lower.push(value?.lower ?? null);
    this.#upper.push(value?.upper ?? null);
  }

  // In blocks, so that a frame does not move every array.
  #forget(before: number): void {
    const keep = this.#times.findIndex((time) => time >= before);
    if (keep < 64) return;
    for (const column of [this.#times, this.#values, this.#lower, this.#upper]) column.splice(0, keep);
    while ((this.exactMoments[0] ?? Infinity) < before) this.exactMoments.shift();
  }
}
