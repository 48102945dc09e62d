import { Board } from './board';
import { Controls } from './controls';
import { noCounters, noPins, nothingCounted, unknownNamespace, unreachable } from './empty';
import { h, setText } from './dom';
import { Link } from './live';
import { listNamespaces } from './rest';
import { maxPins, readHash, writeHash } from './state';
import type { BoardState } from './state';
import { TopList } from './top';
import type { Namespace } from './types';

const boardIntervalMs = 250;
const topIntervalMs = 1_000;
const topLength = 12;
/** Shown before the reader picks any. */
const pinsAtFirst = 4;
const lookAgainMs = 2_000;

/** The page: what is chosen, what is watched for it, and where frames go. */
export class App {
  #state: BoardState;
  #namespaces: readonly Namespace[] = [];
  #failure: string | null = null;
  #paused = false;
  #stopBoard: (() => void) | null = null;
  #stopTop: (() => void) | null = null;
  #watchedPins = '';
  /** The board before the reader picks: the first heaviest seen, which then stay where they are. */
  #heaviest: string[] = [];
  #topArrived = false;
  readonly #board: Board;
  readonly #top: TopList;
  readonly #controls: Controls;
  readonly #link: Link;
  readonly #news = h('p', { class: 'visually-hidden', role: 'status' });
  readonly #main = h('main');

  constructor(root: HTMLElement) {
    this.#state = readHash(location.hash);
    this.#board = new Board(this.#state.minutes, (name) => this.#toggle(name));
    this.#top = new TopList((name) => this.#toggle(name));
    this.#controls = new Controls({
      onNamespace: (name) => this.#change({ namespace: name, pins: null }),
      onMinutes: (minutes) => this.#change({ minutes }),
      onConfidence: (confidence) => this.#change({ confidence }),
      onToggle: (name) => this.#toggle(name),
      onPause: (paused) => this.#pause(paused),
      onTheme: () => this.#board.recolor(),
      address: () => new URL(writeHash({ ...this.#state, pins: this.#pins }), location.href).href,
    });
    this.#main.append(h('h1', { class: 'visually-hidden' }, 'Live counters'), this.#board.element, this.#top.element);
    root.append(this.#controls.element, this.#main, this.#controls.legend, this.#news);
    this.#link = new Link((state, silentMs) => {
      this.#controls.showLink(state, silentMs, this.#paused);
      root.classList.toggle('is-old', state === 'stale' || state === 'offline');
    });
    addEventListener('hashchange', () => {
      if (location.hash !== writeHash(this.#state)) this.#change(readHash(location.hash));
    });
    void this.#look();
  }

  get #pins(): string[] {
    return this.#state.pins ?? this.#heaviest;
  }

  // Namespaces come and go rarely, and a page without any must notice the first.
  async #look(): Promise<void> {
    try {
      const first = this.#namespaces.length === 0;
      this.#namespaces = await listNamespaces(AbortSignal.timeout(10_000));
      this.#failure = null;
      if (this.#state.namespace === null || first) {
        this.#state.namespace ??= busiest(this.#namespaces);
        this.#rewatch();
      }
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure.message : String(failure);
    }
    this.#show();
    setTimeout(() => void this.#look(), lookAgainMs);
  }

  #change(change: Partial<BoardState>): void {
    const before = this.#state;
    this.#state = { ...before, ...change };
    if (this.#state.minutes !== before.minutes) this.#board.minutes = this.#state.minutes;
    if (this.#state.namespace !== before.namespace || this.#state.confidence !== before.confidence) {
      if (this.#state.namespace !== before.namespace) {
        this.#board.clear();
        this.#top.clear();
        this.#heaviest = [];
        this.#topArrived = false;
      }
      this.#rewatch();
    }
    history.replaceState(null, '', writeHash(this.#state));
    this.#show();
  }

  #toggle(name: string): void {
    const pins = this.#pins;
    const pinned = pins.includes(name);
    if (!pinned && pins.length >= maxPins) {
      setText(this.#news, `The board holds ${maxPins} counters; remove one first.`);
      return;
    }
    this.#change({ pins: pinned ? pins.filter((other) => other !== name) : [...pins, name] });
    setText(this.#news, pinned ? `${name} removed from the board.` : `${name} pinned to the board.`);
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    this.#link.report();
    if (!paused) {
      this.#board.render();
      this.#top.render();
    }
  }

  #rewatch(): void {
    this.#stopTop?.();
    this.#stopTop = null;
    this.#watchedPins = '';
    const { namespace, confidence } = this.#state;
    if (namespace === null || !this.#namespaces.some((known) => known.name === namespace)) return;
    this.#stopTop = this.#link.watch(
      { namespace, top: topLength, intervalMs: topIntervalMs, confidence },
      (frame) => {
        this.#top.take(frame, !this.#paused);
        this.#topArrived = true;
        const more = this.#top.names.filter((name) => !this.#heaviest.includes(name));
        if (this.#heaviest.length < pinsAtFirst) this.#heaviest = [...this.#heaviest, ...more].slice(0, pinsAtFirst);
        this.#show();
      },
      (message) => this.#controls.complain(message),
    );
  }

  #watchPins(): void {
    const { namespace, confidence } = this.#state;
    const pins = this.#pins;
    const watched = JSON.stringify([namespace, confidence, pins]);
    if (watched === this.#watchedPins) return;
    this.#watchedPins = watched;
    this.#stopBoard?.();
    this.#stopBoard = null;
    if (namespace === null || pins.length === 0 || this.#stopTop === null) return;
    this.#stopBoard = this.#link.watch(
      { namespace, names: pins, intervalMs: boardIntervalMs, confidence },
      (frame) => this.#board.take(frame, !this.#paused),
      (message) => this.#controls.complain(message),
    );
  }

  #show(): void {
    const pins = this.#pins;
    const empty = this.#emptiness(pins);
    document.title = this.#state.namespace === null ? 'Sketch' : `${this.#state.namespace} · Sketch`;
    this.#board.show(pins, empty);
    this.#main.classList.toggle('is-empty', this.#top.names.length === 0);
    this.#watchPins();
    this.#controls.showsLines = pins.length > 0 && empty === null;
    this.#controls.show(this.#state, this.#namespaces, new Set(pins));
    this.#top.pinned = new Set(pins);
  }

  #emptiness(pins: readonly string[]): HTMLElement | null {
    const { namespace } = this.#state;
    if (this.#failure !== null && this.#namespaces.length === 0) return unreachable(this.#failure);
    if (namespace === null) return nothingCounted();
    if (!this.#namespaces.some((known) => known.name === namespace)) return unknownNamespace(namespace);
    if (pins.length > 0 || !this.#topArrived) return null;
    return this.#top.names.length > 0 ? noPins() : noCounters(namespace);
  }
}

function busiest(namespaces: readonly Namespace[]): string | null {
  return [...namespaces].sort((a, b) => b.counters - a.counters)[0]?.name ?? null;
}
