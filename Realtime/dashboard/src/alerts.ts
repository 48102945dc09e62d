import type { Alert, SketchClient } from '@sketch/client';
import { AlertForm } from './alertForm';
import { h, icon, replaceChildren, setText } from './dom';
import { ago, count } from './format';
import { icons } from './icons';

/** The rules of a namespace and their states, firing ones first. */
export class AlertsView {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #onFiring: (count: number) => void;
  readonly #onCounter: (name: string) => void;
  readonly #form: AlertForm;
  readonly #list = h('ul', { class: 'alerts', 'data-testid': 'alerts' });
  readonly #note = h('p', { class: 'hint is-start', 'data-testid': 'alerts-note' });
  readonly #news = h('p', { class: 'visually-hidden', role: 'status' });
  #namespace: string | null = null;
  #alerts: readonly Alert[] = [];
  #stop: (() => void) | null = null;

  constructor(client: SketchClient, onFiring: (count: number) => void, onCounter: (name: string) => void) {
    this.#client = client;
    this.#onFiring = onFiring;
    this.#onCounter = onCounter;
    this.#form = new AlertForm(client);
    this.element = h(
      'div',
      { class: 'view is-narrow', 'data-testid': 'alerts-view' },
      h('h1', { class: 'visually-hidden' }, 'Alerts'),
      h('section', { class: 'panel is-flat', 'aria-labelledby': 'rules-title' }, h('header', {}, h('h2', { id: 'rules-title' }, 'Rules')), this.#list, this.#note),
      this.#form.element,
      this.#news,
    );
    setInterval(() => this.element.isConnected && this.#render(), 5_000);
  }

  show(namespace: string | null, suggestion: string | null): void {
    this.#form.show(namespace, suggestion);
    if (namespace === this.#namespace) return;
    this.#namespace = namespace;
    this.#stop?.();
    this.#stop = null;
    this.#take([]);
    if (namespace === null) return;
    this.#stop = this.#client.watchAlerts(
      namespace,
      (alerts) => this.#take(alerts),
      (message) => setText(this.#note, message),
    );
  }

  #take(alerts: readonly Alert[]): void {
    const wereFiring = new Set(this.#alerts.filter(isFiring).map((alert) => alert.id));
    this.#alerts = [...alerts].sort((a, b) => Number(isFiring(b)) - Number(isFiring(a)) || (a.id < b.id ? -1 : 1));
    const firing = this.#alerts.filter(isFiring);
    this.#onFiring(firing.length);
    const fresh = firing.filter((alert) => !wereFiring.has(alert.id));
    if (fresh.length > 0) setText(this.#news, `Firing: ${fresh.map((alert) => alert.id).join(', ')}.`);
    this.#render();
  }

  #render(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['key'] : undefined;
    replaceChildren(this.#list, ...this.#alerts.map((alert) => this.#row(alert)));
    if (focused !== undefined) [...this.#list.querySelectorAll<HTMLElement>('[data-key]')].find((element) => element.dataset['key'] === focused)?.focus();
    setText(this.#note, this.#alerts.length === 0 ? 'No rules in this namespace. A rule below watches a counter or its rate, and fires when it surely, or maybe, passes a limit.' : '');
  }

  #row(alert: Alert): HTMLLIElement {
    const seen = alert.value === undefined ? 'not read yet' : `now ${figure(alert.value)}${alert.lower === alert.upper ? '' : `, between ${figure(alert.lower ?? alert.value)} and ${figure(alert.upper ?? alert.value)}`}`;
    return h(
      'li',
      { 'data-testid': 'alert', 'data-id': alert.id, 'data-state': alert.state },
      h('span', { class: 'state' }, { ok: 'ok', firing: 'firing', unknown: 'waiting', deleted: 'deleted' }[alert.state]),
      h(
        'div',
        { class: 'rule' },
        h('p', { class: 'rule-name' }, h('strong', {}, alert.id), ' ', h('button', { class: 'link', type: 'button', 'data-key': `open ${alert.id}`, click: () => this.#onCounter(alert.counter) }, alert.counter), ` ${sentenceOf(alert)}`),
        h('p', { class: 'hint' }, `${seen} · ${alert.state === 'unknown' ? 'waiting' : alert.state} since ${ago(Date.now() / 1000 - Date.parse(alert.since) / 1000).replace(' ago', '')}${alert.webhook === undefined ? '' : ` · webhook to ${alert.webhook.url}`}`),
      ),
      h('button', { class: 'quiet', type: 'button', 'data-key': `delete ${alert.id}`, 'data-testid': 'alert-delete', 'aria-label': `Delete the rule ${alert.id}`, click: () => void this.#delete(alert) }, icon(icons.close)),
    );
  }

  async #delete(alert: Alert): Promise<void> {
    try {
      await this.#client.rest.deleteAlert(alert.namespace, alert.id);
    } catch (failure) {
      setText(this.#note, failure instanceof Error ? failure.message : String(failure));
    }
  }
}

function isFiring(alert: Alert): boolean {
  return alert.state === 'firing';
}

/** is surely above 1,000 · has a rate maybe below 1 a second */
function sentenceOf({ of, above, below, when, forSeconds }: Alert): string {
  const limit = above === undefined ? `below ${figure(below ?? 0)}` : `above ${figure(above)}`;
  const lasting = (forSeconds ?? 0) > 0 ? ` for ${forSeconds} s` : '';
  return of === 'rate' ? `has a rate ${when} ${limit} a second${lasting}` : `is ${when} ${limit}${lasting}`;
}

function figure(value: number): string {
  return Number.isInteger(value) ? count(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
