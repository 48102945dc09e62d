import { h, replaceChildren } from './dom';
import { Series } from './series';
import { Tile } from './tile';
import type { Frame } from './types';

/** The pinned counters of a namespace. */
export class Board {
  readonly element = h('div', { class: 'board', 'data-testid': 'board' });
  readonly #tiles = new Map<string, { readonly tile: Tile; readonly series: Series }>();
  readonly #onRemove: (name: string) => void;
  #minutes: number;

  constructor(minutes: number, onRemove: (name: string) => void) {
    this.#minutes = minutes;
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
      replaceChildren(this.element, empty);
      return;
    }
    const tiles = names.map((name) => this.#tiles.get(name)?.tile ?? this.#create(name));
    if (this.element.children.length !== tiles.length || tiles.some((tile, index) => this.element.children[index] !== tile.element)) {
      replaceChildren(this.element, ...tiles.map((tile) => tile.element));
    }
  }

  clear(): void {
    this.show([], null);
  }

  /** Takes a frame in; every line moves on to its moment, also where nothing changed. */
  take(frame: Frame, render: boolean): void {
    const asOf = Date.parse(frame.asOf) / 1000;
    const changed = new Map(frame.values.map((value) => [value.name, value]));
    for (const [name, { tile, series }] of this.#tiles) {
      series.advance(asOf, changed.get(name) ?? null, this.#minutes * 60);
      if (render) tile.render();
    }
  }

  set minutes(minutes: number) {
    this.#minutes = minutes;
    for (const { tile } of this.#tiles.values()) tile.windowSeconds = minutes * 60;
  }

  render(): void {
    for (const { tile } of this.#tiles.values()) tile.render();
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
