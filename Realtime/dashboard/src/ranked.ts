import { halfWidth } from '@sketch/client';
import { h, icon, replaceChildren, setText } from './dom';
import { count } from './format';
import { icons } from './icons';

/** Places are swapped at most this often: numbers move at once, rows calmly. */
const reorderEveryMs = 2_000;

/** What a row shows. */
export interface Entry {
  readonly name: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  readonly exact: boolean;
  /** Said when the pointer rests on it. */
  readonly note?: string;
}

interface Row {
  readonly element: HTMLLIElement;
  readonly rank: HTMLElement;
  readonly value: HTMLElement;
  readonly spread: HTMLElement;
  readonly sure: HTMLElement;
  readonly maybe: HTMLElement;
  readonly mark: HTMLElement;
  current: Entry;
}

/** A list by size, with bounds as bars; rows glide to their new places. */
export class Ranked {
  readonly element: HTMLOListElement;
  readonly #rows = new Map<string, Row>();
  readonly #rowId: string;
  readonly #onPick: ((name: string) => void) | null;
  #pinned: ReadonlySet<string> = new Set();
  #reorderedAt = 0;

  /** @param onPick Called with the name of a row that is clicked; null for a list to look at. */
  constructor(id: string, rowId: string, onPick: ((name: string) => void) | null) {
    this.#rowId = rowId;
    this.#onPick = onPick;
    this.element = h('ol', { class: onPick === null ? 'ranked is-still' : 'ranked', 'data-testid': id });
  }

  get names(): string[] {
    return this.#sorted().map((row) => row.current.name);
  }

  clear(): void {
    this.#rows.clear();
    replaceChildren(this.element);
    this.#reorderedAt = 0;
  }

  set pinned(names: ReadonlySet<string>) {
    this.#pinned = names;
    for (const [name, row] of this.#rows) this.#markPinned(name, row);
  }

  /** Takes all entries of one moment. */
  take(entries: readonly Entry[], render: boolean): void {
    const names = new Set(entries.map((entry) => entry.name));
    for (const name of this.#rows.keys()) if (!names.has(name)) this.#rows.delete(name);
    for (const entry of entries) {
      const row = this.#rows.get(entry.name);
      if (row === undefined) this.#rows.set(entry.name, this.#create(entry));
      else row.current = entry;
    }
    if (render) this.render();
  }

  render(): void {
    const rows = this.#sorted();
    const shown = this.element.children;
    const membersChanged = shown.length !== rows.length || rows.some((row) => row.element.parentElement !== this.element);
    const now = performance.now();
    if (membersChanged || now - this.#reorderedAt >= reorderEveryMs) {
      if (rows.some((row, index) => shown[index] !== row.element)) this.#reorder(rows);
      this.#reorderedAt = now;
    }
    const most = Math.max(1, ...rows.map((row) => row.current.upper));
    for (const row of rows) paint(row, most);
  }

  #sorted(): Row[] {
    return [...this.#rows.values()].sort((a, b) => b.current.value - a.current.value || (a.current.name < b.current.name ? -1 : 1));
  }

  // Rows glide from where they were to where they belong.
  #reorder(rows: readonly Row[]): void {
    const before = new Map(rows.map((row) => [row, row.element.isConnected ? row.element.offsetTop : null]));
    const focused = document.activeElement;
    this.element.replaceChildren(...rows.map((row) => row.element));
    if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus({ preventScroll: true });
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const row of rows) {
      const from = before.get(row);
      const distance = from === null || from === undefined ? 0 : from - row.element.offsetTop;
      if (distance !== 0) {
        row.element.animate([{ transform: `translateY(${distance}px)` }, { transform: 'none' }], { duration: 450, easing: 'cubic-bezier(.2,.8,.2,1)' });
      }
    }
  }

  #create(entry: Entry): Row {
    const [rank, number, spread] = [h('span', { class: 'rank' }), h('span', { 'data-testid': 'value' }), h('span', { class: 'spread' })];
    const [sure, maybe, mark] = [h('span', { class: 'sure' }), h('span', { class: 'maybe' }), h('span', { class: 'mark' })];
    const parts = [
      rank,
      h('span', { class: 'name', title: entry.name }, entry.name),
      mark,
      h('span', { class: 'count' }, number, spread),
      h('span', { class: 'track', 'aria-hidden': 'true' }, sure, maybe),
    ];
    const pick = this.#onPick;
    const inner = pick === null ? h('div', { class: 'row' }, ...parts) : h('button', { class: 'row', type: 'button', click: () => pick(entry.name) }, ...parts);
    const element = h('li', { 'data-testid': this.#rowId, 'data-name': entry.name }, inner);
    const row: Row = { element, rank, value: number, spread, sure, maybe, mark, current: entry };
    if (pick !== null) this.#markPinned(entry.name, row);
    return row;
  }

  #markPinned(name: string, row: Row): void {
    const pinned = this.#pinned.has(name);
    if (row.mark.hasChildNodes() && row.element.classList.contains('is-pinned') === pinned) return;
    row.element.classList.toggle('is-pinned', pinned);
    row.element.firstElementChild?.setAttribute('aria-pressed', String(pinned));
    replaceChildren(row.mark, icon(pinned ? icons.pinned : icons.pin));
  }
}

function paint(row: Row, most: number): void {
  const { current, element } = row;
  const list = element.parentElement;
  if (list !== null) setText(row.rank, String([...list.children].indexOf(element) + 1));
  setText(row.value, count(current.value));
  setText(row.spread, current.exact ? '' : ` ± ${count(halfWidth(current))}`);
  element.title = current.note ?? '';
  const data = element.dataset;
  [data['value'], data['lower'], data['upper']] = [String(current.value), String(current.lower), String(current.upper)];
  const low = Math.max(0, current.lower / most) * 100;
  row.sure.style.width = `${low}%`;
  row.maybe.style.left = `${low}%`;
  row.maybe.style.width = `${Math.max(0, (current.upper - current.lower) / most) * 100}%`;
}
