import { Chart } from './chart';
import { h, icon, setText } from './dom';
import { ago, count, halfWidth, percent, rate, timeOfDay } from './format';
import { icons } from './icons';
import type { Series } from './series';

/** One pinned counter: its number, how sure it is, its recent line, and since when it is exact. */
export class Tile {
  readonly element: HTMLElement;
  readonly #series: Series;
  readonly #chart: Chart;
  readonly #value = h('span', { class: 'value', 'data-testid': 'value' });
  readonly #spread = h('span', { class: 'spread' });
  readonly #badge = h('span', { class: 'badge', 'data-testid': 'exact' });
  readonly #lower = h('span', { 'data-testid': 'lower' });
  readonly #upper = h('span', { 'data-testid': 'upper' });
  readonly #bounds = h('span', { class: 'bounds' });
  readonly #rate = h('span', { class: 'rate', 'data-testid': 'rate' });
  readonly #exactAsOf = h('span', { class: 'exact-as-of', 'data-testid': 'exact-as-of' });
  readonly #waiting = h('p', { class: 'waiting', 'data-testid': 'waiting' }, 'Not counted yet. It appears here with its first increment.');

  constructor(name: string, series: Series, windowSeconds: number, onRemove: () => void) {
    this.#series = series;
    this.#bounds.append('between ', this.#lower, ' and ', this.#upper);
    const plot = h('div', { class: 'plot', 'aria-hidden': 'true' });
    const readout = h('div', { class: 'readout' });
    this.element = h(
      'article',
      { class: 'tile', 'data-testid': 'tile', 'data-name': name, 'aria-label': name },
      h(
        'header',
        {},
        h('h2', { title: name }, name),
        this.#badge,
        h('button', { class: 'quiet', type: 'button', 'aria-label': `Remove ${name} from the board`, 'data-testid': 'unpin', click: onRemove }, icon(icons.close)),
      ),
      h('p', { class: 'number' }, this.#value, this.#spread),
      h('p', { class: 'facts' }, this.#bounds, this.#rate),
      h('div', { class: 'frame' }, plot, readout),
      h('p', { class: 'foot' }, this.#exactAsOf),
      this.#waiting,
    );
    this.#chart = new Chart(plot, series, readout, windowSeconds);
    this.render();
  }

  set windowSeconds(seconds: number) {
    this.#chart.windowSeconds = seconds;
  }

  render(): void {
    const value = this.#series.current;
    this.element.classList.toggle('is-waiting', value === null);
    this.#waiting.hidden = value !== null;
    if (value === null) return;
    this.element.classList.toggle('is-exact', value.exact);
    const data = this.element.dataset;
    [data['value'], data['lower'], data['upper']] = [String(value.value), String(value.lower), String(value.upper)];
    setText(this.#value, count(value.value));
    setText(this.#spread, value.exact ? '' : `± ${count(halfWidth(value))}`);
    setText(this.#badge, value.exact ? 'exact' : percent(value.confidence));
    this.#badge.title = value.exact
      ? 'Every increment up to now is counted exactly.'
      : `The truth lies between the bounds with a probability of ${percent(value.confidence)}.`;
    setText(this.#lower, count(value.lower));
    setText(this.#upper, count(value.upper));
    this.#bounds.hidden = value.exact;
    setText(this.#rate, rate(value.ratePerSecond));
    const asOf = this.#series.times.at(-1) ?? Date.parse(value.exactAsOf) / 1000;
    const moment = value.exact ? asOf : Date.parse(value.exactAsOf) / 1000;
    setText(this.#exactAsOf, `exact as of ${timeOfDay(moment)} · ${ago(asOf - moment)}`);
    this.#exactAsOf.dataset['moment'] = value.exactAsOf;
    this.#chart.refresh();
  }

  recolor(): void {
    this.#chart.recolor();
  }

  destroy(): void {
    this.#chart.destroy();
    this.element.remove();
  }
}
