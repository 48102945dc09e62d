import { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel } from '@microsoft/signalr';
import type { HubConnection, ISubscription } from '@microsoft/signalr';
import { AlertBook } from './alerts.js';
import { refusalIn } from './refusal.js';
import type { Alert, Frame, LinkState, WatchRequest } from './types.js';

/** An empty frame comes every two seconds when nothing changes; without one for this long, what is shown may be old. */
const staleAfterMs = 5_000;

/** A refusal may be of the moment: a node that is still opening, a namespace that is about to be made. */
const refusedRetryMs = 2_000;

const reportEveryMs = 500;

/** What a watch tells. */
export interface Receiver {
  onFrame(frame: Frame): void;
  /** The node's own sentence; the watch goes on trying. */
  onRefused?(message: string): void;
}

interface Watch {
  readonly request: WatchRequest;
  readonly receiver: Receiver;
  stream: ISubscription<Frame> | null;
  /** The last frame: after a reconnect the node goes on from it. */
  last: { readonly number: number; readonly asOf: string } | null;
}

/** The connection to a node: it comes back by itself, and takes its watches up again. */
export class Link {
  readonly #connection: HubConnection;
  readonly #watches = new Set<Watch>();
  readonly #onState: (state: LinkState, silentMs: number) => void;
  readonly #alerts: AlertBook;
  readonly #timer: ReturnType<typeof setInterval>;
  #lastFrameAt = performance.now();
  #retry = 0;
  #closed = false;

  constructor(hub: string, isDirect: boolean, onState: (state: LinkState, silentMs: number) => void) {
    this.#onState = onState;
    this.#connection = new HubConnectionBuilder()
      .withUrl(hub, isDirect ? { skipNegotiation: true, transport: HttpTransportType.WebSockets } : {})
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: (context) => delay(context.previousRetryCount) })
      .configureLogging(LogLevel.None)
      .build();
    this.#alerts = new AlertBook(this.#connection);
    this.#connection.onreconnecting(() => this.report());
    this.#connection.onreconnected(() => this.#resume());
    this.#connection.onclose(() => void this.#start());
    this.#timer = setInterval(() => this.report(), reportEveryMs);
    void this.#start();
  }

  get state(): LinkState {
    if (this.#connection.state !== HubConnectionState.Connected) {
      return this.#retry > 0 || this.#connection.state === HubConnectionState.Reconnecting ? 'offline' : 'connecting';
    }
    return this.#watches.size > 0 && this.silentMs > staleAfterMs + this.#patience() ? 'stale' : 'live';
  }

  /** How long ago the last frame of any watch came. */
  get silentMs(): number {
    return performance.now() - this.#lastFrameAt;
  }

  /** Watches until the returned function is called. The first frame after every (re)connect holds all values. */
  watch(request: WatchRequest, receiver: Receiver): () => void {
    const watch: Watch = { request, receiver, stream: null, last: null };
    this.#watches.add(watch);
    this.#open(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stream?.dispose();
    };
  }

  /** Tells all rules of a namespace and their states at every change, until the returned function is called. */
  watchAlerts(namespace: string, onAlerts: (alerts: readonly Alert[]) => void, onRefused?: (message: string) => void): () => void {
    return this.#alerts.watch(namespace, onAlerts, onRefused);
  }

  /** Tells the state now rather than within half a second. */
  report(): void {
    if (!this.#closed) this.#onState(this.state, this.silentMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#watches.clear();
    await this.#connection.stop();
  }

  async #start(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#connection.start();
      this.#resume();
    } catch {
      this.report();
      setTimeout(() => void this.#start(), delay(this.#retry++));
    }
  }

  #resume(): void {
    this.#retry = 0;
    this.#lastFrameAt = performance.now();
    for (const watch of this.#watches) this.#open(watch);
    this.#alerts.resume();
    this.report();
  }

  #open(watch: Watch): void {
    if (this.#closed || this.#connection.state !== HubConnectionState.Connected) return;
    watch.stream = this.#connection.stream<Frame>('Watch', { ...watch.request, ...(watch.last && { resume: watch.last }) }).subscribe({
      next: (frame) => {
        this.#lastFrameAt = performance.now();
        watch.last = { number: frame.number, asOf: frame.asOf };
        if (this.#watches.has(watch)) watch.receiver.onFrame(frame);
      },
      error: (failure: Error) => {
        // A lost connection ends streams too; #resume opens them again.
        if (this.#connection.state !== HubConnectionState.Connected || !this.#watches.has(watch)) return;
        const refusal = refusalIn(failure);
        if (refusal !== null) watch.receiver.onRefused?.(refusal);
        setTimeout(() => this.#watches.has(watch) && this.#open(watch), refusedRetryMs);
      },
      complete: () => undefined,
    });
  }

  // A watch that asked for a frame a minute is not old after five seconds.
  #patience(): number {
    const shortest = Math.min(...[...this.#watches].map((watch) => watch.request.intervalMs ?? 1_000));
    return Number.isFinite(shortest) ? Math.max(0, shortest - 2_000) : 0;
  }
}

function delay(attempt: number): number {
  return Math.min(5_000, 250 * 2 ** Math.min(attempt, 5));
}
