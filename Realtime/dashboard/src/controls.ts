import { h, icon, replaceChildren, setText } from './dom';
import { percent } from './format';
import { icons } from './icons';
import type { LinkState } from './live';
import { Search } from './search';
import { confidences, windows } from './state';
import type { BoardState } from './state';
import { themeToggle } from './theme';
import type { Namespace } from './types';

interface Actions {
  onNamespace(name: string): void;
  onMinutes(minutes: number): void;
  onConfidence(confidence: number): void;
  onToggle(name: string): void;
  onPause(paused: boolean): void;
  onTheme(): void;
  address(): string;
}

/** The bar at the top and the line at the bottom. */
export class Controls {
  readonly element: HTMLElement;
  readonly legend: HTMLElement;
  readonly #actions: Actions;
  readonly #search: Search;
  readonly #namespace: HTMLSelectElement;
  readonly #minutes: HTMLSelectElement;
  readonly #confidence: HTMLSelectElement;
  readonly #status = h('span', { class: 'status', role: 'status', 'data-testid': 'status' });
  readonly #notice = h('p', { class: 'notice', role: 'alert', 'data-testid': 'notice', hidden: true });
  readonly #pause: HTMLButtonElement;
  #paused = false;

  constructor(actions: Actions) {
    this.#actions = actions;
    this.#search = new Search((name) => actions.onToggle(name));
    this.#namespace = h('select', { 'aria-label': 'Namespace', 'data-testid': 'namespace', change: () => actions.onNamespace(this.#namespace.value) });
    this.#minutes = choice('Time shown', 'minutes', windows.map((minutes) => [String(minutes), `${minutes} min`]), (value) => actions.onMinutes(Number(value)));
    this.#confidence = choice('Confidence of the bounds', 'confidence', confidences.map((p) => [String(p), percent(p)]), (value) => actions.onConfidence(Number(value)));
    this.#pause = h('button', { class: 'tool', type: 'button', 'data-testid': 'pause', click: () => this.#togglePause() });
    this.#showPause();
    const share = h('button', { class: 'tool', type: 'button', 'aria-label': 'Copy a link to this board', title: 'Copy a link to this board', 'data-testid': 'share', click: () => void this.#share() }, icon(icons.share));
    this.element = h(
      'header',
      { class: 'bar' },
      h('a', { class: 'brand', href: '/', 'aria-label': 'Sketch, start page' }, h('img', { src: '/icon.svg', alt: '', width: 28, height: 28 }), h('span', {}, 'Sketch')),
      h('label', { class: 'picker' }, h('span', { class: 'visually-hidden' }, 'Namespace'), this.#namespace),
      this.#search.element,
      h('div', { class: 'tools' }, this.#status, this.#pause, share, themeToggle(() => actions.onTheme())),
      this.#notice,
    );
    this.legend = h(
      'footer',
      { class: 'legend' },
      h('span', {}, h('i', { class: 'key line' }), 'estimate'),
      h('span', {}, h('i', { class: 'key band' }), 'the truth lies here with ', this.#confidence),
      h('span', {}, h('i', { class: 'key doubt' }), 'how far off at most'),
      h('span', {}, h('i', { class: 'key moment' }), 'exact up to here'),
      h('span', { class: 'grow' }),
      h('label', {}, 'show ', this.#minutes),
    );
  }

  show(state: BoardState, namespaces: readonly Namespace[], pinned: ReadonlySet<string>): void {
    const names = namespaces.map((known) => known.name);
    const shown = state.namespace === null || names.includes(state.namespace) ? names : [...names, state.namespace];
    if (JSON.stringify([...this.#namespace.options].map((option) => option.value)) !== JSON.stringify(shown)) {
      replaceChildren(this.#namespace, ...shown.map((name) => h('option', { value: name }, name)));
    }
    this.#namespace.hidden = this.#search.element.hidden = shown.length === 0;
    if (state.namespace !== null && this.#namespace.dataset['shown'] !== state.namespace) {
      this.#search.namespace = state.namespace;
      this.#namespace.dataset['shown'] = state.namespace;
    }
    this.#namespace.value = state.namespace ?? '';
    this.#minutes.value = String(state.minutes);
    this.#confidence.value = String(state.confidence);
    this.#search.pinned = pinned;
  }

  /** The legend explains lines; without any it stays away. */
  set showsLines(any: boolean) {
    this.legend.hidden = !any;
  }

  showLink(state: LinkState, silentMs: number, paused: boolean): void {
    const seconds = Math.floor(silentMs / 1000);
    const [kind, text] =
      state === 'offline' ? ['offline', 'reconnecting'] : state === 'stale' ? ['stale', `no news for ${seconds} s`] : paused ? ['paused', 'paused'] : [state, state];
    this.#status.dataset['state'] = kind;
    setText(this.#status, text);
  }

  /** Shows what the node refused. */
  complain(message: string): void {
    this.#notice.hidden = false;
    setText(this.#notice, message);
    setTimeout(() => (this.#notice.hidden = true), 8_000);
  }

  #togglePause(): void {
    this.#paused = !this.#paused;
    this.#showPause();
    this.#actions.onPause(this.#paused);
  }

  #showPause(): void {
    replaceChildren(this.#pause, icon(this.#paused ? icons.play : icons.pause));
    this.#pause.title = this.#paused ? 'Go on' : 'Pause';
    this.#pause.setAttribute('aria-label', this.#paused ? 'Go on showing new values' : 'Pause the display');
    this.#pause.setAttribute('aria-pressed', String(this.#paused));
  }

  async #share(): Promise<void> {
    const address = this.#actions.address();
    history.replaceState(null, '', address);
    try {
      await navigator.clipboard.writeText(address);
      this.complain('Link copied. It opens this board, live.');
    } catch {
      this.complain(`This board: ${address}`);
    }
  }
}

function choice(label: string, id: string, options: readonly (readonly [string, string])[], onChange: (value: string) => void): HTMLSelectElement {
  const select = h('select', { 'aria-label': label, 'data-testid': id, change: () => onChange(select.value) });
  for (const [value, text] of options) select.append(h('option', { value }, text));
  return select;
}
