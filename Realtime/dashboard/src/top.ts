import type { CounterValue } from '@sketch/client';
import { h } from './dom';
import { Ranked } from './ranked';

/** The heaviest counters of a namespace, with their bounds. */
export class TopList {
  readonly element: HTMLElement;
  readonly #list: Ranked;

  constructor(onToggle: (name: string) => void) {
    this.#list = new Ranked('top', 'top-row', onToggle);
    this.element = h(
      'section',
      { class: 'panel', 'aria-labelledby': 'top-title' },
      h('header', {}, h('h2', { id: 'top-title' }, 'Heaviest'), h('span', { class: 'hint' }, 'click to pin')),
      this.#list.element,
    );
  }

  get names(): string[] {
    return this.#list.names;
  }

  set pinned(names: ReadonlySet<string>) {
    this.#list.pinned = names;
  }

  take(values: readonly CounterValue[], render: boolean): void {
    this.#list.take(values, render);
  }

  render(): void {
    this.#list.render();
  }

  clear(): void {
    this.#list.clear();
  }
}
