import { halfWidth } from '@sketch/client';
import type { CounterValue, SketchClient } from '@sketch/client';
import { h, icon, replaceChildren, setText } from './dom';
import { count } from './format';
import { icons } from './icons';
import { find, knownLabels } from './finding';
import type { Label } from './finding';

const limit = 20;

/** Finds counters by the beginning of their name and by labels, as in team=web page:/; arrows choose, Enter pins, Escape leaves. */
export class Search {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #input: HTMLInputElement;
  readonly #list = h('ul', { id: 'search-results', role: 'listbox', 'data-testid': 'results', 'aria-label': 'Counters found', hidden: true });
  readonly #onToggle: (name: string) => void;
  #namespace: string | null = null;
  #pinned: ReadonlySet<string> = new Set();
  #options: HTMLLIElement[] = [];
  #active = -1;
  #listed: string | null = null;
  #entered: string | null = null;
  #running: AbortController | null = null;
  #timer = 0;

  constructor(client: SketchClient, onToggle: (name: string) => void) {
    this.#client = client;
    this.#onToggle = onToggle;
    this.#input = h('input', {
      type: 'search',
      placeholder: 'Find by name or label=value',
      'aria-label': 'Find a counter by the beginning of its name, or by label=value',
      'data-testid': 'search',
      role: 'combobox',
      'aria-expanded': 'false',
      'aria-controls': 'search-results',
      'aria-autocomplete': 'list',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 256,
      input: () => {
        this.#entered = null;
        this.#look(120);
      },
      focus: () => this.#look(0),
      keydown: (event: Event) => this.#key(event as KeyboardEvent),
    });
    this.element = h('div', { class: 'search', role: 'search' }, icon(icons.search), this.#input, h('kbd', { 'aria-hidden': 'true' }, '/'), this.#list);
    this.element.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget))) this.#close();
    });
    document.addEventListener('keydown', (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
      if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        this.#input.focus();
      }
    });
  }

  set namespace(name: string | null) {
    this.#namespace = name;
    this.#input.value = '';
    this.#close();
  }

  set pinned(names: ReadonlySet<string>) {
    this.#pinned = names;
    for (const option of this.#options) if (option.dataset['name'] !== undefined) this.#mark(option);
  }

  #look(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#find(), delayMs);
  }

  async #find(): Promise<void> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    const [namespace, prefix] = [this.#namespace, this.#input.value];
    if (namespace === null) return;
    try {
      const [found, labels] = await Promise.all([
        find(this.#client, namespace, prefix, limit, running.signal),
        prefix === '' ? knownLabels(this.#client, namespace, running.signal) : [],
      ]);
      if (document.activeElement === this.#input) this.#show(prefix, found, labels);
    } catch (failure) {
      if (!running.signal.aborted) this.#say(failure instanceof Error ? failure.message : 'The search failed; type again to retry.');
    }
  }

  #show(prefix: string, found: readonly CounterValue[], labels: readonly Label[]): void {
    this.#options = [];
    for (const label of labels) this.#options.push(this.#labelOption(label));
    for (const value of found) this.#options.push(this.#option(value.name, value));
    const notes: HTMLLIElement[] = [];
    if (prefix !== '' && !found.some((value) => value.name === prefix)) {
      this.#options.push(this.#option(prefix, null));
    } else if (found.length === 0) {
      notes.push(h('li', { class: 'note' }, 'No counters in this namespace yet.'));
    }
    if (found.length === limit) notes.push(h('li', { class: 'note' }, `The first ${limit} by name. Type more to narrow them down.`));
    this.#open([...this.#options, ...notes]);
    this.#listed = prefix;
    this.#activate(this.#options.length > 0 && prefix !== '' ? 0 : -1);
    if (this.#entered === prefix) this.#choose();
  }

  #say(message: string): void {
    this.#options = [];
    this.#open([h('li', { class: 'note', role: 'alert' }, message)]);
  }

  #labelOption({ name, value, counters }: Label): HTMLLIElement {
    return h(
      'li',
      {
        role: 'option',
        id: `option-${this.#options.length}`,
        'data-testid': 'label-option',
        'aria-selected': 'false',
        mousedown: (event: Event) => event.preventDefault(),
        click: () => this.#filter(`${name}=${value} `),
      },
      h('span', { class: 'mark' }, icon(icons.label)),
      h('span', { class: 'name' }, `${name}=${value}`),
      h('span', { class: 'count' }, counters === 1 ? 'one counter' : `${count(counters)} counters`),
    );
  }

  #filter(text: string): void {
    this.#input.value = text;
    this.#look(0);
  }

  #option(name: string, value: CounterValue | null): HTMLLIElement {
    const option = h(
      'li',
      {
        role: 'option',
        id: `option-${this.#options.length}`,
        'data-testid': 'result',
        'data-name': name,
        'aria-selected': 'false',
        mousedown: (event: Event) => event.preventDefault(),
        click: () => this.#onToggle(name),
      },
      h('span', { class: 'mark' }),
      h('span', { class: 'name' }, name),
      h('span', { class: 'label' }, Object.entries(value?.labels ?? {}).map(([label, text]) => `${label}=${text}`).join('  ')),
      h('span', { class: 'count' }, value === null ? 'watch for it' : count(value.value) + (value.exact ? '' : ` ± ${count(halfWidth(value))}`)),
    );
    this.#mark(option);
    return option;
  }

  #mark(option: HTMLLIElement): void {
    const pinned = this.#pinned.has(option.dataset['name'] ?? '');
    option.classList.toggle('is-pinned', pinned);
    const mark = option.firstElementChild;
    if (mark !== null) replaceChildren(mark, icon(pinned ? icons.pinned : icons.pin));
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const last = this.#options.length - 1;
      if (event.key === 'ArrowDown') this.#activate(this.#active < last ? this.#active + 1 : 0);
      else this.#activate(this.#active > 0 ? this.#active - 1 : last);
    } else if (event.key === 'Enter') {
      // Who types fast presses Enter before the list of what was typed is there; an earlier list has other counters.
      if (this.#listed === this.#input.value) {
        this.#choose();
      } else {
        this.#entered = this.#input.value;
        this.#look(0);
      }
    } else if (event.key === 'Escape') {
      event.preventDefault();
      if (this.#list.hidden) this.#input.value = '';
      this.#close();
    }
  }

  #choose(): void {
    this.#entered = null;
    this.#options[this.#active]?.click();
  }

  #activate(index: number): void {
    this.#options[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = index;
    const option = this.#options[index];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option === undefined) this.#input.removeAttribute('aria-activedescendant');
    else this.#input.setAttribute('aria-activedescendant', option.id);
  }

  #open(items: readonly HTMLLIElement[]): void {
    this.#active = -1;
    this.#listed = null;
    replaceChildren(this.#list, ...items);
    this.#list.hidden = false;
    this.#input.setAttribute('aria-expanded', 'true');
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#options = [];
    this.#listed = null;
    this.#entered = null;
    this.#list.hidden = true;
    setText(this.#list, '');
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
  }
}
