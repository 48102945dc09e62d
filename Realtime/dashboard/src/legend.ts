import { h } from './dom';
import { percent } from './format';
import { confidences, ranges } from './state';
import type { PageState } from './state';

export interface LegendActions {
  onMinutes(minutes: number): void;
  onConfidence(confidence: number): void;
  onLines(lines: boolean): void;
}

/** What the lines mean, and how they are shown. */
export class Legend {
  readonly element: HTMLElement;
  readonly #minutes: HTMLSelectElement;
  readonly #confidence: HTMLSelectElement;
  readonly #lines: HTMLSelectElement;

  constructor(actions: LegendActions) {
    this.#minutes = choice('Time shown', 'minutes', ranges.map(([minutes, text]) => [String(minutes), text]), (value) => actions.onMinutes(Number(value)));
    this.#confidence = choice('Confidence of the bounds', 'confidence', confidences.map((p) => [String(p), percent(p)]), (value) => actions.onConfidence(Number(value)));
    this.#lines = choice('Form of the tiles', 'lines', [['1', 'lines'], ['0', 'numbers']], (value) => actions.onLines(value === '1'));
    this.element = h(
      'section',
      { class: 'legend', 'aria-label': 'Time shown, and what the lines mean' },
      h('label', {}, 'last ', this.#minutes),
      h('label', {}, 'as ', this.#lines),
      h('label', {}, 'at ', this.#confidence),
      h('span', { class: 'grow' }),
      key('line', 'estimate'),
      key('band', 'the truth lies here'),
      key('doubt', 'how far off at most'),
      key('moment', 'exact up to here'),
    );
  }

  show(state: PageState): void {
    this.#minutes.value = String(state.minutes);
    this.#confidence.value = String(state.confidence);
    this.#lines.value = state.lines ? '1' : '0';
    this.element.classList.toggle('is-numbers', !state.lines);
  }
}

function key(kind: string, text: string): HTMLElement {
  return h('span', { class: 'meaning' }, h('i', { class: `key ${kind}` }), text);
}

function choice(label: string, id: string, options: readonly (readonly [string, string])[], onChange: (value: string) => void): HTMLSelectElement {
  const select = h('select', { 'aria-label': label, 'data-testid': id, change: () => onChange(select.value) });
  for (const [value, text] of options) select.append(h('option', { value }, text));
  return select;
}
