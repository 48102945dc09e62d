import type { CounterValue } from './types';

/** No line is drawn over a silence longer than this. */
const gapSeconds = 8;

/** The recent past of one counter: times, values and bounds, and the moments up to which it was exact. */
export class Series {
  readonly times: number[] = [];
  readonly values: (number | null)[] = [];
  readonly lower: (number | null)[] = [];
  readonly upper: (number | null)[] = [];
  /** Moments (seconds) that the checkpoint moved to, while values were estimates. */
  readonly exactMoments: number[] = [];
  current: CounterValue | null = null;

  /** Takes the newest value, or none when it did not change, as of a moment (seconds). */
  advance(asOf: number, value: CounterValue | null, keepSeconds: number): void {
    if (value !== null) {
      this.#markExact(value);
      this.current = value;
    }
    if (this.current === null) return;
    const last = this.times.at(-1);
    if (last !== undefined && asOf <= last) return;
    if (last !== undefined && asOf - last > gapSeconds) this.#push(last + 0.001, null);
    this.#push(asOf, this.current);
    this.#forget(asOf - keepSeconds);
  }

  // A counter that is exact anyway has no moment at which it became so; the mark of one that rests moves with every look.
  #markExact(value: CounterValue): void {
    const before = this.current;
    if (value.tier !== 'approximate' || (before?.exact === true && value.exact)) return;
    const moment = Date.parse(value.exactAsOf) / 1000;
    if (moment > (this.exactMoments.at(-1) ?? -Infinity)) this.exactMoments.push(moment);
  }

  #push(time: number, value: CounterValue | null): void {
    this.times.push(time);
    this.values.push(value?.value ?? null);
    this.lower.push(value?.lower ?? null);
    this.upper.push(value?.upper ?? null);
  }

  // In blocks, so that a frame does not move every array.
  #forget(before: number): void {
    const keep = this.times.findIndex((time) => time >= before);
    if (keep < 64) return;
    for (const column of [this.times, this.values, this.lower, this.upper]) column.splice(0, keep);
    while ((this.exactMoments[0] ?? Infinity) < before) this.exactMoments.shift();
  }
}
