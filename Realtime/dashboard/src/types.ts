/** The value object, as every door of the product shows it. Numbers beyond 2^53 arrive rounded: JSON numbers are doubles here. */
export interface CounterValue {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly tier: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  readonly confidence: number;
  readonly exact: boolean;
  readonly exactAsOf: string;
  readonly ratePerSecond: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What changed since the frame before it. */
export interface Frame {
  readonly subscription: number;
  readonly number: number;
  readonly asOf: string;
  readonly skipped: number;
  readonly values: readonly CounterValue[];
  readonly removed?: readonly string[];
  readonly truncated?: boolean;
}

export interface WatchRequest {
  readonly namespace: string;
  readonly names?: readonly string[];
  readonly prefix?: string;
  readonly top?: number;
  readonly intervalMs?: number;
  readonly confidence?: number;
}

export interface Namespace {
  readonly name: string;
  readonly tier: string;
  readonly counters: number;
}
