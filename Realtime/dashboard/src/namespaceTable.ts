import type { Namespace, NamespaceAccuracy } from '@sketch/client';
import { h, replaceChildren, setText } from './dom';
import { count, percent, share } from './format';

const heads = ['Namespace', 'Tier', 'Counters', 'History kept', 'Compared', 'Within 95 %', 'Within 99 %', 'Largest error', 'Mean error'] as const;

const promisedMost = 0.99;

/** The namespaces, and how right the values of each were. */
export class NamespaceTable {
  readonly element: HTMLElement;
  readonly #body = h('tbody', {});
  readonly #empty = h('p', { class: 'hint', hidden: true }, 'No namespace yet. The board says how to make the first.');
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #onOpen: (namespace: string) => void;

  constructor(onOpen: (namespace: string) => void) {
    this.#onOpen = onOpen;
    const head = h('thead', {}, h('tr', {}, ...heads.map((title, index) => h('th', { scope: 'col', class: index > 1 ? 'is-number' : '' }, title))));
    this.element = h(
      'section',
      { class: 'panel is-flat', 'aria-labelledby': 'namespaces-title' },
      h('header', {}, h('h2', { id: 'namespaces-title' }, 'Namespaces'), h('span', { class: 'hint' }, 'bounds are compared with the truth at every checkpoint')),
      h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Table of namespaces' }, h('table', { 'data-testid': 'namespaces' }, head, this.#body)),
      this.#empty,
    );
  }

  show(namespaces: readonly Namespace[], audits: ReadonlyMap<string, NamespaceAccuracy>): void {
    this.#empty.hidden = namespaces.length > 0;
    const names = namespaces.map((known) => known.name);
    if (JSON.stringify([...this.#rows.keys()]) !== JSON.stringify(names)) {
      this.#rows.clear();
      for (const name of names) this.#rows.set(name, this.#row(name));
      replaceChildren(this.#body, ...this.#rows.values());
    }
    for (const known of namespaces) this.#fill(known, audits.get(known.name));
  }

  #row(name: string): HTMLTableRowElement {
    const open = h('button', { class: 'link', type: 'button', click: () => this.#onOpen(name) }, name);
    return h('tr', { 'data-name': name }, h('th', { scope: 'row' }, open), ...heads.slice(1).map((_title, index) => h('td', { class: index > 0 ? 'is-number' : '' })));
  }

  #fill(known: Namespace, audit: NamespaceAccuracy | undefined): void {
    const row = this.#rows.get(known.name);
    if (row === undefined) return;
    const bound = (confidence: number) => audit?.bounds.find((each) => each.confidence === confidence);
    const held = (confidence: number): string => {
      const found = bound(confidence);
      return found === undefined || found.counters === 0 ? '–' : share(found.coverage);
    };
    const isAudited = (audit?.counters ?? 0) > 0;
    const cells = [
      known.tier,
      count(known.counters),
      `${known.retentionDays} ${known.retentionDays === 1 ? 'day' : 'days'}`,
      isAudited ? count(audit?.counters ?? 0) : '–',
      held(0.95),
      held(promisedMost),
      isAudited ? count(audit?.largestError ?? 0) : '–',
      isAudited ? (audit?.bias ?? 0).toFixed(2) : '–',
    ];
    for (const [index, text] of cells.entries()) {
      const cell = row.children[index + 1];
      if (cell !== undefined) setText(cell, text);
    }
    row.classList.toggle('is-bad', (audit?.warning ?? null) !== null);
    row.title = audit?.warning ?? (bound(promisedMost) ? `At least ${percent(bound(promisedMost)?.leastCoverage ?? promisedMost)} is within chance of the promise.` : '');
  }
}
