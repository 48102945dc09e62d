import { SketchClient } from '@sketch/client';
import type { Namespace } from '@sketch/client';
import { AlertsView } from './alerts';
import { BoardView } from './boardView';
import { Controls } from './controls';
import { nothingCounted, unknownNamespace, unreachable } from './empty';
import { h, replaceChildren, setText } from './dom';
import { Overview } from './overview';
import { SqlView } from './sqlView';
import { maxPins, readHash, writeHash } from './state';
import type { PageState } from './state';

const lookAgainMs = 2_000;

/** The page: what is chosen, which view shows it, and the connection that all of them share. */
export class App {
  #state: PageState = readHash(location.hash);
  #namespaces: readonly Namespace[] = [];
  #failure: string | null = null;
  #looked = false;
  #paused = false;
  readonly #client: SketchClient;
  readonly #controls: Controls;
  readonly #board: BoardView;
  readonly #overview: Overview;
  readonly #sql: SqlView;
  readonly #alerts: AlertsView;
  readonly #news = h('p', { class: 'visually-hidden', role: 'status' });
  readonly #main = h('main', { tabindex: -1 });

  constructor(root: HTMLElement) {
    const complain = (message: string): void => this.#controls.complain(message);
    this.#client = new SketchClient('', {
      onState: (state, silentMs) => {
        this.#controls.showLink(state, silentMs, this.#paused);
        root.classList.toggle('is-old', state === 'stale' || state === 'offline');
      },
    });
    this.#board = new BoardView(this.#client, {
      onToggle: (name) => this.#toggle(name),
      onMinutes: (minutes) => this.#change({ minutes }),
      onConfidence: (confidence) => this.#change({ confidence }),
      onLines: (lines) => this.#change({ lines }),
      onPins: () => this.#show(),
      complain,
    });
    this.#overview = new Overview(this.#client, (namespace) => this.#change({ view: 'board', namespace, pins: null }));
    this.#sql = new SqlView(this.#client, (sql) => this.#change({ sql }));
    this.#alerts = new AlertsView(this.#client, (firing) => this.#controls.showFiring(firing), (name) => this.#pinned(name));
    this.#controls = new Controls(this.#client, {
      onView: (view) => this.#change({ view }),
      onNamespace: (namespace) => this.#change({ namespace, pins: null }),
      onToggle: (name) => this.#toggle(name),
      onPause: (paused) => this.#pause(paused),
      onTheme: () => this.#recolor(),
      address: () => new URL(writeHash({ ...this.#state, pins: this.#board.pins }), location.href).href,
    });
    root.append(this.#controls.element, this.#main, this.#news);
    addEventListener('hashchange', () => {
      if (location.hash !== writeHash(this.#state)) this.#change(readHash(location.hash));
    });
    this.#show();
    void this.#look();
  }

  // Namespaces come and go rarely, and a page without any must notice the first.
  async #look(): Promise<void> {
    try {
      this.#namespaces = await this.#client.rest.namespaces(AbortSignal.timeout(10_000));
      this.#failure = null;
      this.#looked = true;
      this.#state.namespace ??= busiest(this.#namespaces);
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure.message : String(failure);
    }
    this.#show();
    setTimeout(() => void this.#look(), lookAgainMs);
  }

  #change(change: Partial<PageState>): void {
    const moved = change.view !== undefined && change.view !== this.#state.view;
    this.#state = { ...this.#state, ...change };
    const address = writeHash(this.#state);
    if (moved) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    this.#show();
  }

  #toggle(name: string): void {
    const pins = this.#board.pins;
    const isPinned = pins.includes(name);
    if (!isPinned && pins.length >= maxPins) {
      this.#controls.complain(`The board holds ${maxPins} counters; remove one first.`);
      return;
    }
    this.#change({ view: 'board', pins: isPinned ? pins.filter((other) => other !== name) : [...pins, name] });
    setText(this.#news, isPinned ? `${name} removed from the board.` : `${name} pinned to the board.`);
  }

  #pinned(name: string): void {
    if (this.#board.pins.includes(name)) this.#change({ view: 'board' });
    else this.#toggle(name);
  }

  #pause(paused: boolean): void {
    this.#paused = this.#board.paused = this.#overview.paused = paused;
    this.#client.report();
  }

  #recolor(): void {
    this.#board.recolor();
    this.#overview.recolor();
    this.#sql.recolor();
  }

  #show(): void {
    const { view, namespace } = this.#state;
    const isKnown = this.#namespaces.some((known) => known.name === namespace);
    const title = { board: namespace, overview: 'Overview', sql: 'SQL', alerts: 'Alerts' }[view];
    document.title = title === null ? 'Sketch' : `${title} · Sketch`;
    this.#board.show(this.#state, isKnown, this.#emptiness(isKnown));
    this.#overview.show(this.#namespaces, this.#failure, view === 'overview');
    this.#sql.show(this.#state.sql, namespace, view === 'sql');
    this.#alerts.show(isKnown ? namespace : null, this.#board.pins[0] ?? null);
    const shown = { board: this.#board, overview: this.#overview, sql: this.#sql, alerts: this.#alerts }[view];
    if (this.#main.firstElementChild !== shown.element) replaceChildren(this.#main, shown.element);
    this.#controls.show(this.#state, this.#namespaces, new Set(this.#board.pins));
  }

  #emptiness(isKnown: boolean): HTMLElement | null {
    const { namespace } = this.#state;
    if (this.#failure !== null && this.#namespaces.length === 0) return unreachable(this.#failure);
    if (!this.#looked) return null;
    if (namespace === null) return nothingCounted();
    return isKnown ? null : unknownNamespace(namespace);
  }
}

function busiest(namespaces: readonly Namespace[]): string | null {
  return [...namespaces].sort((a, b) => b.counters - a.counters)[0]?.name ?? null;
}
