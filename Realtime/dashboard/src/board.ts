import type { Frame } from '@sketch/client';
import { h, replaceChildren } from './dom';
import { Series } from './series';
import type { Past } from './series';
import { Tile } from './tile';

/** The pinned counters of a namespace. */
export class Board {
  readonly element = h('div', { class: 'board', 'data-testid': 'board' });
  readonly #tiles = new Map<string, { readonly tile: Tile; readonly series: Series }>();
  readonly #onRemove: (name: string) => void;
  #minutes = 5;
  #paused = false;

  constructor(onRemove: (name: string) => void) {
    this.#onRemove = onRemove;
  }

  /** Shows these counters, in this order; those that stay keep their line. */
  show(names: readonly string[], empty: Node | null): void {
    for (const [name, { tile }] of this.#tiles) {
      if (!names.includes(name)) {
        tile.destroy();
        this.#tiles.delete(name);
      }
    }
    if (empty !== null) {
      if (this.element.firstElementChild?.isEqualNode(empty) !== true) replaceChildren(this.element, empty);
      return;
    }
    const tiles = names.map((name) => this.#tiles.get(name)?.tile ?? this.#create(name));
    if (this.element.children.length !== tiles.length || tiles.some((tile, index) => this.element.children[index] !== tile.element)) {
      const focused = document.activeElement;
      replaceChildren(this.element, ...tiles.map((tile) => tile.element));
      if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  clear(): void {
    this.show([], null);
  }

  /** Takes a frame in; every line moves on to its moment, also where nothing changed. */
  take(frame: Frame, render: boolean): void {
    const asOf = Date.parse(frame.asOf) / 1000;
    const changed = new Map(frame.values.map((value) => [value.name, value]));
    for (const name of frame.removed ?? []) {
      const gone = this.#tiles.get(name);
      if (gone !== undefined) gone.series.current = null;
    }
    for (const [name, { tile, series }] of this.#tiles) {
      series.advance(asOf, changed.get(name) ?? null);
      if (render) tile.render();
    }
  }

  /** Takes what was stored; a counter without any has no past beyond what the page saw. */
  takePast(past: ReadonlyMap<string, Past>): void {
    for (const [name, { tile, series }] of this.#tiles) {
      series.past = past.get(name) ?? null;
      if (!this.#paused) tile.renderAll();
    }
  }

  set minutes(minutes: number) {
    if (minutes === this.#minutes) return;
    this.#minutes = minutes;
    for (const { tile } of this.#tiles.values()) tile.windowSeconds = minutes * 60;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
  }

  render(): void {
    for (const { tile } of this.#tiles.values()) tile.renderAll();
  }

  recolor(): void {
    for (const { tile } of this.#tiles.values()) tile.recolor();
  }

  #create(name: string): Tile {
    const series = new Series();
    const tile = new Tile(name, series, this.#minutes * 60, () => this.#onRemove(name));
    this.#tiles.set(name, { tile, series });
    return tile;
  }
}
