import type { TopItem } from '@sketch/client';
import { h, setText } from './dom';
import { Ranked } from './ranked';

/** The largest items of a counter of the kind top. */
export class Items {
  readonly element: HTMLElement;
  readonly #list = new Ranked('items', 'item', null);
  readonly #note = h('p', { class: 'hint', 'data-testid': 'items-note' });
  #shown: readonly TopItem[] | null = null;

  constructor(name: string) {
    this.element = h('div', { class: 'items', tabindex: 0, role: 'group', 'aria-label': `Largest items of ${name}` }, this.#list.element, this.#note);
  }

  /** Shows these; places may still change when they were shown before. */
  show(items: readonly TopItem[]): void {
    if (items === this.#shown) {
      this.#list.render();
      return;
    }
    this.#shown = items;
    this.#list.take(items.map(entryOf), true);
    const open = items.filter((item) => !item.certain).length;
    setText(this.#note, items.length === 0 ? 'No items yet.' : open > 0 ? `${open} of these may still belong further down.` : '');
  }
}

function entryOf(item: TopItem): { name: string; value: number; lower: number; upper: number; exact: boolean; note: string } {
  const { item: name, value, lower, upper, exact } = item;
  return { name, value, lower, upper, exact, note: item.certain ? 'No item that is left out can be larger.' : 'An item that is left out may be larger.' };
}
