import type { SketchClient, TopItem } from '@sketch/client';
import { h, setText } from './dom';
import { Ranked } from './ranked';

const askEveryMs = 1_000;
const shown = 10;

/** The largest items of a counter of the kind top, asked for every second while they can be seen. */
export class Items {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #namespace: string;
  readonly #name: string;
  readonly #list = new Ranked('items', 'item', null);
  readonly #note = h('p', { class: 'hint', 'data-testid': 'items-note' });
  readonly #stop = new AbortController();
  paused = false;

  constructor(client: SketchClient, namespace: string, name: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
    this.element = h('div', { class: 'items', tabindex: 0, role: 'group', 'aria-label': `Largest items of ${name}` }, this.#list.element, this.#note);
    void this.#run();
  }

  render(): void {
    this.#list.render();
  }

  destroy(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.element.isConnected && document.visibilityState === 'visible' && !this.paused) await this.#ask(signal);
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      const items = await this.#client.rest.items(this.#namespace, this.#name, shown, signal);
      if (this.paused || signal.aborted) return;
      this.#list.take(items.map(entryOf), true);
      const open = items.filter((item) => !item.certain).length;
      setText(this.#note, items.length === 0 ? 'No items yet.' : open > 0 ? `${open} of these may still belong further down.` : '');
    } catch (failure) {
      if (!signal.aborted) setText(this.#note, failure instanceof Error ? failure.message : String(failure));
    }
  }
}

function entryOf(item: TopItem): { name: string; value: number; lower: number; upper: number; exact: boolean; note: string } {
  const { item: name, value, lower, upper, exact } = item;
  return { name, value, lower, upper, exact, note: item.certain ? 'No item that is left out can be larger.' : 'An item that is left out may be larger.' };
}
