/** A counter's value, the same on every door of the node. Numbers beyond 2^53 arrive rounded: JSON numbers are doubles here. */
export interface CounterValue {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'sum' | 'distinct' | 'top';
  readonly tier: 'strong' | 'eventual' | 'approximate';
  readonly value: number;
  /** The truth is not below this, at the confidence. */
  readonly lower: number;
  /** The truth is not above this, at the confidence. */
  readonly upper: number;
  readonly confidence: number;
  /** True only when lower, value and upper are the same. */
  readonly exact: boolean;
  /** Up to this moment every increment is counted exactly. */
  readonly exactAsOf: string;
  readonly ratePerSecond: number;
  readonly labels: Readonly<Record<string, string>>;
  /** In frames, of a counter of the kind top: its largest items, largest first, once they were read. */
  readonly items?: readonly TopItem[];
  /** When the items were read. */
  readonly itemsAsOf?: string;
}

/** What changed since the frame before it, all as of one moment. */
export interface Frame {
  readonly subscription: number;
  /** From 1; goes on after a reconnect. */
  readonly number: number;
  readonly asOf: string;
  /** True when it holds all values: what is not in it is gone. So in the first frame, and the first after a reconnect. */
  readonly snapshot?: boolean;
  /** How many frames were left out because the reader was not ready. */
  readonly skipped: number;
  readonly values: readonly CounterValue[];
  /** Counters that left: no longer among the heaviest, or gone. */
  readonly removed?: readonly string[];
  /** More counters have this prefix than are watched. */
  readonly truncated?: boolean;
}

interface Pace {
  readonly namespace: string;
  /** At most one frame in this time: 50 to 60,000; 1,000 when left out. */
  readonly intervalMs?: number;
  /** The probability that the bounds hold: above 0.5, below 1; 0.99 when left out. */
  readonly confidence?: number;
}

/** What to watch: some names, all names with a prefix, all with these labels (an empty value: whatever it is), or the heaviest. */
export type WatchRequest = Pace &
  (
    | { readonly names: readonly string[] }
    | { readonly prefix: string }
    | { readonly labels: Readonly<Record<string, string>> }
    | { readonly top: number }
  );

/** A rule on a counter's value or rate. With `surely` the whole band has to be beyond the limit, with `maybe` any of it. */
export interface AlertRule {
  readonly counter: string;
  readonly of?: 'value' | 'rate';
  readonly above?: number;
  readonly below?: number;
  readonly when?: 'surely' | 'maybe';
  readonly confidence?: number;
  /** For a rate: over how long, 1 to 300; 5 when left out. */
  readonly overSeconds?: number;
  /** How long it must hold before it fires. */
  readonly forSeconds?: number;
  readonly webhook?: { readonly url: string; readonly secret?: string };
}

/** A rule and its state. */
export interface Alert extends AlertRule {
  readonly namespace: string;
  readonly id: string;
  readonly of: 'value' | 'rate';
  readonly when: 'surely' | 'maybe';
  readonly state: 'ok' | 'firing' | 'unknown' | 'deleted';
  readonly since: string;
  /** The figures that were judged last. */
  readonly asOf?: string;
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
}

/** The connection: `stale` when it stands, but nothing came for so long that what is shown may be old. */
export type LinkState = 'connecting' | 'live' | 'stale' | 'offline';

/** A namespace. */
export interface Namespace {
  readonly name: string;
  readonly tier: string;
  readonly durable: boolean;
  readonly retentionDays: number;
  readonly maxCounters: number;
  readonly counters: number;
}

/** One of the largest items of a counter of the kind top. Its bounds are certain. */
export interface TopItem {
  readonly item: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  /** No item that is left out can be larger. */
  readonly certain: boolean;
  readonly exact: boolean;
}

/** One step of a counter's history. */
export interface HistoryPoint {
  readonly start: string;
  /** The sum of the increments in the step; of the kind distinct how many different elements came in it. */
  readonly value: number;
  /** Bounds of that number of elements; missing when the value is exact. */
  readonly lower?: number;
  readonly upper?: number;
}

/** How often bounds of one confidence held when the truth became known. */
export interface BoundCoverage {
  readonly confidence: number;
  readonly windows: number;
  readonly counters: number;
  readonly covered: number;
  readonly coverage: number;
  readonly leastCoverage: number;
  readonly fallsShort: boolean;
}

/** The node's own check of its promises in a namespace. */
export interface NamespaceAccuracy {
  readonly namespace: string;
  readonly windows: number;
  readonly counters: number;
  readonly aboveUpper: number;
  readonly bias: number;
  readonly largestError: number;
  readonly bounds: readonly BoundCoverage[];
  readonly warning: string | null;
}

/** How the node is. */
export interface Health {
  readonly status: string;
  readonly node: string;
  readonly version: string;
  readonly reason?: string;
  readonly engine?: {
    readonly increments: number;
    readonly incrementsPerSecond: number;
    readonly position: number;
    readonly checkpointPosition: number;
    readonly exactAsOf: string;
    readonly openWindows: number;
    readonly counters: number;
    readonly totalsBytes: number;
    readonly distinctBytes: number;
    readonly checkpointError: string | null;
  };
}

/** The answer to a statement. Integers of 64 bits are strings, so that they keep their digits. */
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly seconds: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}
