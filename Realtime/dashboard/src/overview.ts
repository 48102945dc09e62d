import type { Health, Namespace, NamespaceAccuracy, SketchClient } from '@sketch/client';
import { h, replaceChildren, setText } from './dom';
import { unreachable } from './empty';
import { ago, bytes, compact, count, percent, share } from './format';
import { Checkpoints } from './checkpoints';
import { NamespaceTable } from './namespaceTable';
import { RateLine } from './rateLine';

const askEveryMs = 1_000;
/** The audit moves with checkpoints. */
const auditEvery = 5;
const promised = 0.99;

/** The node: how much it counts, how far storage is behind, and whether its bounds held. */
export class Overview {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #rate = figure('rate', 'Increments a second');
  readonly #counters = figure('counters', 'Counters');
  readonly #backlog = figure('backlog', 'Not yet in ClickHouse');
  readonly #audit = figure('audit', 'Bounds that held');
  readonly #line: RateLine;
  readonly #table: NamespaceTable;
  readonly #checkpoints = new Checkpoints();
  readonly #problem = h('p', { class: 'problem', role: 'alert', 'data-testid': 'node-problem', hidden: true });
  readonly #unreachable = h('div', { hidden: true });
  readonly #body: HTMLElement;
  #namespaces: readonly Namespace[] = [];
  #audits = new Map<string, NamespaceAccuracy>();
  #isShown = false;
  #turn = 0;
  paused = false;

  constructor(client: SketchClient, onOpen: (namespace: string) => void) {
    this.#client = client;
    this.#table = new NamespaceTable(onOpen);
    const plot = h('div', { class: 'rate-line', 'aria-hidden': 'true' });
    this.#body = h(
      'div',
      { class: 'overview' },
      h('section', { class: 'figures', 'aria-label': 'The node' }, h('div', { class: 'figure is-wide' }, this.#rate.element, plot), this.#counters.element, this.#backlog.element, this.#audit.element),
      this.#table.element,
      this.#checkpoints.element,
    );
    this.element = h('div', { class: 'view', 'data-testid': 'overview' }, h('h1', { class: 'visually-hidden' }, 'Overview of the node'), this.#problem, this.#unreachable, this.#body);
    this.#line = new RateLine(plot);
    void this.#run();
  }

  show(namespaces: readonly Namespace[], failure: string | null, isShown: boolean): void {
    this.#namespaces = namespaces;
    this.#isShown = isShown;
    const isAway = failure !== null && namespaces.length === 0;
    this.#unreachable.hidden = !isAway;
    this.#body.hidden = isAway;
    if (isAway && !this.#unreachable.hasChildNodes()) replaceChildren(this.#unreachable, unreachable(failure));
    if (isShown) this.#table.show(namespaces, this.#audits);
  }

  recolor(): void {
    this.#line.recolor();
  }

  async #run(): Promise<void> {
    for (;;) {
      if (document.visibilityState === 'visible' && !this.paused) await this.#ask();
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }

  async #ask(): Promise<void> {
    try {
      this.#take(await this.#client.rest.health(AbortSignal.timeout(5_000)));
      if (this.#isShown && this.#turn++ % auditEvery === 0) {
        const audits = await Promise.all(this.#namespaces.slice(0, 50).map((known) => this.#client.rest.accuracy(known.name, AbortSignal.timeout(5_000))));
        this.#audits = new Map(audits.map((audit) => [audit.namespace, audit]));
        this.#takeAudits();
        await this.#checkpoints.ask(this.#client);
      }
    } catch {
      // The bar says that the node does not answer; figures stay as they were.
    }
  }

  #take(health: Health): void {
    const { engine } = health;
    this.#problem.hidden = health.status === 'ready' && (engine?.checkpointError ?? null) === null;
    setText(this.#problem, health.status === 'ready' ? `Checkpoints fail: ${engine?.checkpointError ?? ''}. Nothing is lost; the node tries again by itself.` : `The node is ${health.status}. ${health.reason ?? ''}`);
    if (engine === undefined) return;
    this.#line.add(Date.now() / 1000, engine.incrementsPerSecond);
    if (!this.#isShown) return;
    this.#rate.show(count(Math.round(engine.incrementsPerSecond)), `${compact(engine.increments)} since the node started`);
    this.#counters.show(count(engine.counters), `${bytes(engine.totalsBytes + engine.distinctBytes)} of memory`);
    const waiting = Math.max(0, engine.position - engine.checkpointPosition);
    const windows = engine.openWindows === 1 ? 'one open window' : `${engine.openWindows} windows`;
    this.#backlog.show(`${count(waiting)} ${waiting === 1 ? 'batch' : 'batches'}`, `${windows} · exact up to ${ago(Date.now() / 1000 - Date.parse(engine.exactAsOf) / 1000)}`);
    this.#line.render();
  }

  #takeAudits(): void {
    const bounds = [...this.#audits.values()].flatMap((audit) => audit.bounds.filter((bound) => bound.confidence === promised));
    const compared = bounds.reduce((sum, bound) => sum + bound.counters, 0);
    const covered = bounds.reduce((sum, bound) => sum + bound.covered, 0);
    const warnings = [...this.#audits.values()].filter((audit) => audit.warning !== null).length;
    this.#audit.show(
      compared === 0 ? '–' : share(covered / compared),
      compared === 0 ? 'no window was audited yet' : `of ${compact(compared)} checked, ${percent(promised)} promised`,
      warnings > 0 ? 'bad' : compared > 0 ? 'good' : '',
    );
    this.#table.show(this.#namespaces, this.#audits);
  }
}

interface Figure {
  readonly element: HTMLElement;
  show(value: string, note: string, state?: string): void;
}

function figure(id: string, title: string): Figure {
  const [value, note] = [h('p', { class: 'figure-value', 'data-testid': id }, '–'), h('p', { class: 'figure-note', 'data-testid': `${id}-note` })];
  const element = h('div', { class: 'figure' }, h('h2', {}, title), value, note);
  return {
    element,
    show: (text, more, state = '') => {
      setText(value, text);
      setText(note, more);
      element.dataset['state'] = state;
    },
  };
}
