import { Link } from './link.js';
import { Refusal } from './refusal.js';
import { Rest } from './rest.js';
import type { Alert, Frame, LinkState, WatchRequest } from './types.js';
import { LiveView, merge } from './view.js';

export interface ClientOptions {
  /** Told twice a second, and at every change. */
  readonly onState?: (state: LinkState, silentMs: number) => void;
  /** For a page of another origin, which the node must allow: opens the WebSocket without asking first. */
  readonly isDirect?: boolean;
}

/** A node: live values by `watch` and `frames`, everything else by `rest`. One connection, however many watches. */
export class SketchClient {
  readonly rest: Rest;
  readonly #origin: string;
  readonly #options: ClientOptions;
  #opened: Link | null = null;

  /** @param url The node, such as http://127.0.0.1:8080; left out, the node that served the page. */
  constructor(url = '', options: ClientOptions = {}) {
    this.#origin = url.replace(/\/+$/, '');
    this.#options = options;
    this.rest = new Rest(this.#origin);
  }

  /** Calls back with all values as of one moment whenever some changed, and with the frame that changed them. Call what it returns to stop. */
  watch(request: WatchRequest, onView: (view: LiveView, frame: Frame) => void, onRefused?: (message: string) => void): () => void {
    const view = new LiveView();
    return this.#link.watch(request, {
      onFrame: (frame) => {
        view.apply(frame);
        onView(view, frame);
      },
      ...(onRefused && { onRefused }),
    });
  }

  /** The frames as they come; a loop that is slower than they are gets fewer, newer ones. Ends with the signal, or when the loop is left. */
  async *frames(request: WatchRequest, signal?: AbortSignal): AsyncGenerator<Frame, void, undefined> {
    let [waiting, refused]: [Frame | null, string | null] = [null, null];
    let wake: () => void = () => undefined;
    const stop = this.#link.watch(request, {
      onFrame: (frame) => {
        waiting = waiting === null ? frame : merge(waiting, frame);
        wake();
      },
      onRefused: (message) => {
        refused = message;
        wake();
      },
    });
    const abort = (): void => wake();
    signal?.addEventListener('abort', abort);
    try {
      while (!(signal?.aborted ?? false)) {
        if (refused !== null) throw new Refusal(400, refused);
        const frame: Frame | null = waiting;
        waiting = null;
        if (frame !== null) yield frame;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      stop();
    }
  }

  /** Calls back with all rules of a namespace and their states, at once and at every change. */
  watchAlerts(namespace: string, onAlerts: (alerts: readonly Alert[]) => void, onRefused?: (message: string) => void): () => void {
    return this.#link.watchAlerts(namespace, onAlerts, onRefused);
  }

  get state(): LinkState {
    return this.#opened?.state ?? 'connecting';
  }

  /** Tells the state now. */
  report(): void {
    this.#opened?.report();
  }

  async close(): Promise<void> {
    await this.#opened?.close();
    this.#opened = null;
  }

  get #link(): Link {
    return (this.#opened ??= new Link(`${this.#origin}/hubs/counters`, this.#options.isDirect ?? false, (state, silentMs) => this.#options.onState?.(state, silentMs)));
  }
}
