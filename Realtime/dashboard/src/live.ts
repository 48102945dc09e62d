import { HubConnectionBuilder, HubConnectionState, LogLevel } from '@microsoft/signalr';
import type { HubConnection, ISubscription } from '@microsoft/signalr';
import type { Frame, WatchRequest } from './types';

export type LinkState = 'connecting' | 'live' | 'stale' | 'offline';

/** An empty frame comes every two seconds when nothing changes; without one for this long, what is shown may be old. */
const staleAfterMs = 5_000;

/** A refusal may be of the moment: a node that is still opening, a namespace that is about to be made. */
const refusedRetryMs = 2_000;

interface Watch {
  readonly request: WatchRequest;
  readonly onFrame: (frame: Frame) => void;
  readonly onRefused: (message: string) => void;
  stream: ISubscription<Frame> | null;
}

/** The connection to the node: it comes back by itself, and takes its watches up again. */
export class Link {
  readonly #connection: HubConnection;
  readonly #watches = new Set<Watch>();
  readonly #onState: (state: LinkState, silentMs: number) => void;
  #lastFrameAt = performance.now();
  #retry = 0;

  constructor(onState: (state: LinkState, silentMs: number) => void) {
    this.#onState = onState;
    this.#connection = new HubConnectionBuilder()
      .withUrl('/hubs/counters')
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: (context) => delay(context.previousRetryCount) })
      .configureLogging(LogLevel.None)
      .build();
    this.#connection.onreconnecting(() => this.report());
    this.#connection.onreconnected(() => this.#resume());
    this.#connection.onclose(() => void this.#start());
    setInterval(() => this.report(), 500);
    void this.#start();
  }

  get state(): LinkState {
    if (this.#connection.state !== HubConnectionState.Connected) {
      return this.#retry > 0 || this.#connection.state === HubConnectionState.Reconnecting ? 'offline' : 'connecting';
    }
    return this.#watches.size > 0 && this.silentMs > staleAfterMs ? 'stale' : 'live';
  }

  get silentMs(): number {
    return performance.now() - this.#lastFrameAt;
  }

  /** Watches until the returned function is called. The first frame after every (re)connect holds all values. */
  watch(request: WatchRequest, onFrame: (frame: Frame) => void, onRefused: (message: string) => void): () => void {
    const watch: Watch = { request, onFrame, onRefused, stream: null };
    this.#watches.add(watch);
    this.#open(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stream?.dispose();
    };
  }

  report(): void {
    this.#onState(this.state, this.silentMs);
  }

  async #start(): Promise<void> {
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
    this.report();
  }

  #open(watch: Watch): void {
    if (this.#connection.state !== HubConnectionState.Connected) return;
    watch.stream = this.#connection.stream<Frame>('Watch', watch.request).subscribe({
      next: (frame) => {
        this.#lastFrameAt = performance.now();
        if (this.#watches.has(watch)) watch.onFrame(frame);
      },
      error: (failure: Error) => {
        // A lost connection ends streams too; #resume opens them again.
        if (this.#connection.state !== HubConnectionState.Connected || !this.#watches.has(watch)) return;
        const refusal = refusalIn(failure);
        if (refusal !== null) watch.onRefused(refusal);
        setTimeout(() => this.#watches.has(watch) && this.#open(watch), refusedRetryMs);
      },
      complete: () => undefined,
    });
  }
}

function delay(attempt: number): number {
  return Math.min(5_000, 250 * 2 ** Math.min(attempt, 5));
}

/** The server's own sentence out of the client library's; null when the stream ended for another reason. */
function refusalIn(failure: Error): string | null {
  return /HubException:\s*(.*)$/s.exec(failure.message)?.[1] ?? null;
}
