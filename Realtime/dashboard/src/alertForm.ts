import type { AlertRule, SketchClient } from '@sketch/client';
import { h, setText } from './dom';

/** Makes a rule. */
export class AlertForm {
  readonly element: HTMLFormElement;
  readonly #client: SketchClient;
  readonly #id = h('input', { name: 'id', required: true, maxlength: 64, pattern: '[a-z0-9._\\-]+', placeholder: 'busy', autocomplete: 'off', 'data-testid': 'alert-id' });
  readonly #counter = h('input', { name: 'counter', required: true, maxlength: 256, autocomplete: 'off', 'data-testid': 'alert-counter' });
  readonly #of = select('of', [['value', 'value'], ['rate', 'rate a second']]);
  readonly #when = select('when', [['surely', 'surely'], ['maybe', 'maybe']]);
  readonly #side = select('side', [['above', 'above'], ['below', 'below']]);
  readonly #limit = h('input', { name: 'limit', type: 'number', step: 'any', required: true, 'data-testid': 'alert-limit' });
  readonly #forSeconds = h('input', { name: 'for', type: 'number', min: 0, max: 3_600, step: 1, placeholder: '0', 'data-testid': 'alert-for' });
  readonly #confidence = h('input', { name: 'confidence', type: 'number', min: 50, max: 99.99, step: 'any', placeholder: '99', 'data-testid': 'alert-confidence' });
  readonly #webhook = h('input', { name: 'webhook', type: 'url', maxlength: 2048, placeholder: 'http://127.0.0.1:9000/alerts', autocomplete: 'off', 'data-testid': 'alert-webhook' });
  readonly #note = h('p', { class: 'hint', role: 'status', 'data-testid': 'alert-note' });
  #namespace: string | null = null;
  #suggested: string | null = null;

  constructor(client: SketchClient) {
    this.#client = client;
    this.element = h(
      'form',
      { class: 'panel is-flat rule-form', 'aria-labelledby': 'rule-title', submit: (event: Event) => this.#submit(event) },
      h('header', {}, h('h2', { id: 'rule-title' }, 'New rule'), h('span', { class: 'hint' }, 'surely: the whole band is beyond the limit; maybe: any of it is')),
      h(
        'div',
        { class: 'fields' },
        h('label', {}, 'Rule', this.#id),
        h('label', { class: 'is-wide' }, 'Counter', this.#counter),
        h('label', {}, 'Its', this.#of),
        h('label', {}, 'Is', this.#when),
        h('label', {}, 'Side', this.#side),
        h('label', {}, 'Limit', this.#limit),
        h('label', {}, 'For seconds', this.#forSeconds),
        h('label', {}, 'Sure to %', this.#confidence),
        h('label', { class: 'is-wide' }, 'Webhook', this.#webhook),
        h('button', { class: 'primary', type: 'submit', 'data-testid': 'alert-save' }, 'Save'),
      ),
      this.#note,
    );
  }

  show(namespace: string | null, suggestion: string | null): void {
    this.#namespace = namespace;
    this.element.hidden = namespace === null;
    if (suggestion !== null && suggestion !== this.#suggested && this.#counter.value === (this.#suggested ?? '')) this.#counter.value = suggestion;
    this.#suggested = suggestion;
  }

  #submit(event: Event): void {
    event.preventDefault();
    void this.#save();
  }

  async #save(): Promise<void> {
    if (this.#namespace === null) return;
    const limit = Number(this.#limit.value);
    const rule: AlertRule = {
      counter: this.#counter.value,
      of: this.#of.value === 'rate' ? 'rate' : 'value',
      when: this.#when.value === 'maybe' ? 'maybe' : 'surely',
      ...(this.#side.value === 'below' ? { below: limit } : { above: limit }),
      ...(this.#forSeconds.value === '' ? {} : { forSeconds: Number(this.#forSeconds.value) }),
      ...(this.#confidence.value === '' ? {} : { confidence: fraction(this.#confidence.value) }),
      ...(this.#webhook.value === '' ? {} : { webhook: { url: this.#webhook.value, secret: newSecret() } }),
    };
    try {
      const saved = await this.#client.rest.putAlert(this.#namespace, this.#id.value, rule);
      setText(this.#note, `${saved.id} is watched.${rule.webhook === undefined ? '' : ` Deliveries are signed with ${rule.webhook.secret}, which is shown only now.`}`);
      this.#id.value = this.#limit.value = this.#webhook.value = '';
    } catch (failure) {
      setText(this.#note, failure instanceof Error ? failure.message : String(failure));
    }
  }
}

function select(name: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  return h('select', { name, 'data-testid': `alert-${name}` }, ...options.map(([value, text]) => h('option', { value }, text)));
}

/** What a receiver tells the node's deliveries by. */
function newSecret(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** 99.9 % is 0.999, not what a division by 100 makes of it. */
function fraction(percent: string): number {
  return Number(`${percent}e-2`);
}
