import type { SketchClient } from '@sketch/client';
import { Board } from './board';
import { noCounters, noPins } from './empty';
import { h } from './dom';
import { loadPast } from './history';
import { Legend } from './legend';
import type { LegendActions } from './legend';
import type { PageState } from './state';
import { TopList } from './top';

const boardIntervalMs = 250;
const topIntervalMs = 1_000;
const topLength = 12;
/** Shown before the reader picks any. */
const pinsAtFirst = 4;

interface Actions extends LegendActions {
  onToggle(name: string): void;
  /** The heaviest arrived that are shown before the reader picks any. */
  onPins(): void;
  complain(message: string): void;
}

/** Pinned counters beside the heaviest ones, and what is watched for them. */
export class BoardView {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #actions: Actions;
  readonly #board: Board;
  readonly #top: TopList;
  readonly #legend: Legend;
  readonly #grid: HTMLElement;
  #state: PageState | null = null;
  #paused = false;
  /** The board before the reader picks: the first heaviest seen, which then stay where they are. */
  #heaviest: string[] = [];
  #topArrived = false;
  #stopTop: (() => void) | null = null;
  #stopPins: (() => void) | null = null;
  #watchedTop = '';
  #watchedPins = '';
  #loaded = '';
  #loading: AbortController | null = null;
  #loadTimer = 0;

  constructor(client: SketchClient, actions: Actions) {
    this.#client = client;
    this.#actions = actions;
    this.#board = new Board((name) => actions.onToggle(name));
    this.#top = new TopList((name) => actions.onToggle(name));
    this.#legend = new Legend(actions);
    this.#grid = h('div', { class: 'columns' }, this.#board.element, this.#top.element);
    this.element = h('div', { class: 'view' }, h('h1', { class: 'visually-hidden' }, 'Live counters'), this.#legend.element, this.#grid);
  }

  get pins(): string[] {
    return this.#state?.pins ?? this.#heaviest;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#board.paused = paused;
    if (paused) return;
    this.#board.render();
    this.#top.render();
  }

  recolor(): void {
    this.#board.recolor();
  }

  /** Shows what the state says; a namespace that is not known is not watched. */
  show(state: PageState, isKnown: boolean, empty: HTMLElement | null): void {
    if (state.namespace !== this.#state?.namespace) this.#clear();
    this.#state = state;
    this.#watchTop(isKnown);
    const pins = this.pins;
    const nothing = empty ?? this.#nothing(pins);
    this.#board.minutes = state.minutes;
    this.#board.show(pins, nothing);
    this.#watchPins(pins, isKnown);
    this.#loadPast(pins, isKnown);
    this.#grid.classList.toggle('is-empty', this.#top.names.length === 0);
    this.#grid.classList.toggle('is-numbers', !state.lines);
    this.#top.pinned = new Set(pins);
    this.#legend.show(state);
    this.#legend.element.hidden = pins.length === 0 || nothing !== null;
  }

  #clear(): void {
    this.#board.clear();
    this.#top.clear();
    this.#heaviest = [];
    this.#topArrived = false;
  }

  #nothing(pins: readonly string[]): HTMLElement | null {
    const namespace = this.#state?.namespace ?? null;
    if (pins.length > 0 || !this.#topArrived || namespace === null) return null;
    return this.#top.names.length > 0 ? noPins() : noCounters(namespace);
  }

  #watchTop(isKnown: boolean): void {
    const { namespace, confidence } = this.#state ?? { namespace: null, confidence: 0.99 };
    const watched = JSON.stringify([namespace, confidence, isKnown]);
    if (watched === this.#watchedTop) return;
    this.#watchedTop = watched;
    this.#stopTop?.();
    this.#stopTop = null;
    if (namespace === null || !isKnown) return;
    this.#stopTop = this.#client.watch(
      { namespace, top: topLength, intervalMs: topIntervalMs, confidence },
      (view) => {
        const wasThere = this.#topArrived;
        this.#topArrived = true;
        const before = this.#top.names.length;
        this.#top.take([...view.values.values()], !this.#paused);
        const more = this.#top.names.filter((name) => !this.#heaviest.includes(name));
        const isShort = this.#heaviest.length < pinsAtFirst && more.length > 0;
        if (isShort) this.#heaviest = [...this.#heaviest, ...more].slice(0, pinsAtFirst);
        if (isShort || !wasThere || (before === 0) !== (this.#top.names.length === 0)) this.#actions.onPins();
      },
      (message) => this.#actions.complain(message),
    );
  }

  #watchPins(pins: readonly string[], isKnown: boolean): void {
    const { namespace, confidence } = this.#state ?? { namespace: null, confidence: 0.99 };
    const watched = JSON.stringify([namespace, confidence, pins, isKnown]);
    if (watched === this.#watchedPins) return;
    this.#watchedPins = watched;
    this.#stopPins?.();
    this.#stopPins = null;
    if (namespace === null || !isKnown || pins.length === 0) return;
    this.#stopPins = this.#client.watch(
      { namespace, names: pins, intervalMs: boardIntervalMs, confidence },
      (_view, frame) => this.#board.take(frame, !this.#paused),
      (message) => this.#actions.complain(message),
    );
  }

  // Again and again, since stored windows go on where the page's own memory ends; less often, the more time a line shows.
  #loadPast(pins: readonly string[], isKnown: boolean): void {
    const { namespace, minutes } = this.#state ?? { namespace: null, minutes: 5 };
    const wanted = JSON.stringify([namespace, minutes, pins, isKnown]);
    if (wanted === this.#loaded) return;
    this.#loaded = wanted;
    this.#loading?.abort();
    clearTimeout(this.#loadTimer);
    if (namespace === null || !isKnown || pins.length === 0) return;
    const loading = (this.#loading = new AbortController());
    const load = async (): Promise<void> => {
      try {
        const past = await loadPast(this.#client, namespace, pins, minutes, loading.signal);
        if (!loading.signal.aborted) this.#board.takePast(past);
      } catch {
        // ClickHouse is away for now: the line shows what the page saw, and the next turn asks again.
      }
      if (!loading.signal.aborted) this.#loadTimer = setTimeout(() => void load(), Math.min(120_000, Math.max(10_000, minutes * 200)));
    };
    void load();
  }
}
