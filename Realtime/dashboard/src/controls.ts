import type { LinkState, Namespace, SketchClient } from '@sketch/client';
import { h, icon, replaceChildren, setText } from './dom';
import { icons } from './icons';
import { Search } from './search';
import { views, writeHash } from './state';
import type { PageState, View } from './state';
import { themeToggle } from './theme';

interface Actions {
  onView(view: View): void;
  onNamespace(name: string): void;
  onToggle(name: string): void;
  onPause(paused: boolean): void;
  onTheme(): void;
  address(): string;
}

const noticeMs = 8_000;
const titles: Readonly<Record<View, string>> = { board: 'Board', overview: 'Overview', sql: 'SQL', alerts: 'Alerts' };

/** The bar at the top: views, namespace, search, the state of the connection, and tools. */
export class Controls {
  readonly element: HTMLElement;
  readonly #actions: Actions;
  readonly #search: Search;
  readonly #namespace: HTMLSelectElement;
  readonly #tabs = new Map<View, HTMLAnchorElement>();
  readonly #firing = h('span', { class: 'firing', 'data-testid': 'firing', hidden: true });
  readonly #status = h('span', { class: 'status', role: 'status', 'data-testid': 'status' });
  readonly #notice = h('p', { class: 'notice', role: 'alert', 'data-testid': 'notice', hidden: true });
  readonly #pause: HTMLButtonElement;
  #paused = false;
  #noticeTimer = 0;

  constructor(client: SketchClient, actions: Actions) {
    this.#actions = actions;
    this.#search = new Search(client, (name) => actions.onToggle(name));
    this.#namespace = h('select', { 'aria-label': 'Namespace', 'data-testid': 'namespace', change: () => actions.onNamespace(this.#namespace.value) });
    this.#pause = h('button', { class: 'tool', type: 'button', 'data-testid': 'pause', click: () => this.#togglePause() });
    this.#showPause();
    const share = h('button', { class: 'tool', type: 'button', 'aria-label': 'Copy a link to this page as it is', title: 'Copy a link', 'data-testid': 'share', click: () => void this.#share() }, icon(icons.share));
    const nav = h('nav', { class: 'tabs', 'aria-label': 'Views' }, ...views.map((view) => this.#tab(view)));
    this.element = h(
      'header',
      { class: 'bar' },
      h('a', { class: 'brand', href: '/', 'aria-label': 'Sketch, start page' }, h('img', { src: '/icon.svg', alt: '', width: 26, height: 26 }), h('span', {}, 'Sketch')),
      nav,
      h('label', { class: 'picker' }, h('span', { class: 'visually-hidden' }, 'Namespace'), this.#namespace),
      this.#search.element,
      h('div', { class: 'tools' }, this.#status, this.#pause, share, themeToggle(() => actions.onTheme())),
      this.#notice,
    );
  }

  show(state: PageState, namespaces: readonly Namespace[], pinned: ReadonlySet<string>): void {
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
    this.#search.pinned = pinned;
    for (const [view, tab] of this.#tabs) {
      tab.href = writeHash({ ...state, view });
      if (view === state.view) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
  }

  /** How many rules fire. */
  showFiring(count: number): void {
    this.#firing.hidden = count === 0;
    setText(this.#firing, String(count));
    this.#tabs.get('alerts')?.setAttribute('aria-label', count === 0 ? titles.alerts : `${titles.alerts}, ${count} firing`);
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
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => (this.#notice.hidden = true), noticeMs);
  }

  #tab(view: View): HTMLAnchorElement {
    const tab = h('a', { href: '#', 'data-testid': `tab-${view}` }, titles[view], view === 'alerts' && this.#firing);
    tab.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#actions.onView(view);
    });
    this.#tabs.set(view, tab);
    return tab;
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
      this.complain('Link copied. It opens this page as it is, live.');
    } catch {
      this.complain(`This page: ${address}`);
    }
  }
}
