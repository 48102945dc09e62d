import { h, icon, replaceChildren, setText } from './dom';
import { count, halfWidth } from './format';
import { icons } from './icons';
import type { CounterValue, Frame } from './types';

/** Places are swapped at most this often: numbers move at once, rows calmly. */
const reorderEveryMs = 2_000;

interface Row {
  readonly element: HTMLLIElement;
  readonly rank: HTMLElement;
  readonly value: HTMLElement;
  readonly spread: HTMLElement;
  readonly sure: HTMLElement;
  readonly maybe: HTMLElement;
  readonly mark: HTMLElement;
  current: CounterValue;
}

/** The heaviest counters of a namespace, with their bounds. */
export class TopList {
  readonly element: HTMLElement;
  readonly #list = h('ol', { class: 'top-list', 'data-testid': 'top' });
  readonly #rows = new Map<string, Row>();
  readonly #onToggle: (name: string) => void;
  #pinned: ReadonlySet<string> = new Set();
  #reorderedAt = 0;

  constructor(onToggle: (name: string) => void) {
    this.#onToggle = onToggle;
    this.element = h(
      'section',
      { class: 'panel', 'aria-labelledby': 'top-title' },
      h('header', {}, h('h2', { id: 'top-title' }, 'Heaviest'), h('span', { class: 'hint' }, 'click to pin')),
      this.#list,
    );
  }

  get names(): string[] {
    return this.#sorted().map((row) => row.current.name);
  }

  clear(): void {
    this.#rows.clear();
    replaceChildren(this.#list);
    this.#reorderedAt = 0;
  }

  set pinned(names: ReadonlySet<string>) {
    this.#pinned = names;
    for (const [name, row] of this.#rows) this.#markPinned(name, row);
  }

  take(frame: Frame, render: boolean): void {
    if (frame.number === 1) this.#rows.clear();
    for (const name of frame.removed ?? []) this.#rows.delete(name);
    for (const value of frame.values) {
      const row = this.#rows.get(value.name);
      if (row === undefined) this.#rows.set(value.name, this.#create(value));
      else row.current = value;
    }
    if (render) this.render();
  }

  render(): void {
    const rows = this.#sorted();
    const shown = this.#list.children;
    const membersChanged = shown.length !== rows.length || rows.some((row) => row.element.parentElement !== this.#list);
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
    this.#list.replaceChildren(...rows.map((row) => row.element));
    if (focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const [index, row] of rows.entries()) {
      setText(row.rank, String(index + 1));
      const from = before.get(row);
      const distance = from === null || from === undefined ? 0 : from - row.element.offsetTop;
      if (distance !== 0) {
        row.element.animate([{ transform: `translateY(${distance}px)` }, { transform: 'none' }], { duration: 450, easing: 'cubic-bezier(.2,.8,.2,1)' });
      }
    }
  }

  #create(value: CounterValue): Row {
    const [rank, number, spread] = [h('span', { class: 'rank' }), h('span', { 'data-testid': 'value' }), h('span', { class: 'spread' })];
    const [sure, maybe, mark] = [h('span', { class: 'sure' }), h('span', { class: 'maybe' }), h('span', { class: 'mark' })];
    const button = h(
      'button',
      { type: 'button', click: () => this.#onToggle(value.name) },
      rank,
      h('span', { class: 'name', title: value.name }, value.name),
      mark,
      h('span', { class: 'count' }, number, spread),
      h('span', { class: 'track', 'aria-hidden': 'true' }, sure, maybe),
    );
    const element = h('li', { 'data-testid': 'top-row', 'data-name': value.name }, button);
    const row: Row = { element, rank, value: number, spread, sure, maybe, mark, current: value };
    this.#markPinned(value.name, row);
    return row;
  }

  #markPinned(name: string, row: Row): void {
    const pinned = this.#pinned.has(name);
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
  const data = element.dataset;
  [data['value'], data['lower'], data['upper']] = [String(current.value), String(current.lower), String(current.upper)];
  const low = Math.max(0, current.lower / most) * 100;
  row.sure.style.width = `${low}%`;
  row.maybe.style.left = `${low}%`;
  row.maybe.style.width = `${Math.max(0, (current.upper - current.lower) / most) * 100}%`;
}
