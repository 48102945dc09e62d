import type { SketchClient } from '@sketch/client';
import { h, replaceChildren, setText } from './dom';
import { count, timeOfDay } from './format';

const newest = `
SELECT toUnixTimestamp64Milli(max(last_time)) AS until, sum(increments) AS increments, max(counters) AS counters,
  toUnixTimestamp64Milli(max(stored_at)) - toUnixTimestamp64Milli(max(last_time)) AS lag
FROM checkpoints GROUP BY log, incarnation, to_position ORDER BY until DESC LIMIT 8`;
const heads = ['Exact up to', 'Increments', 'Counters changed', 'Stored after'] as const;

/** The windows that ClickHouse got last. */
export class Checkpoints {
  readonly element: HTMLElement;
  readonly #body = h('tbody', {});
  readonly #note = h('p', { class: 'hint is-start', 'data-testid': 'checkpoints-note' });

  constructor() {
    const head = h('thead', {}, h('tr', {}, ...heads.map((title, index) => h('th', { scope: 'col', class: index > 0 ? 'is-number' : '' }, title))));
    this.element = h(
      'section',
      { class: 'panel is-flat', 'aria-labelledby': 'checkpoints-title' },
      h('header', {}, h('h2', { id: 'checkpoints-title' }, 'Checkpoints'), h('span', { class: 'hint' }, 'windows whose exact sums are in ClickHouse')),
      h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Table of checkpoints' }, h('table', { 'data-testid': 'checkpoints' }, head, this.#body)),
      this.#note,
    );
  }

  async ask(client: SketchClient): Promise<void> {
    try {
      const { rows } = await client.rest.sql(newest, {}, AbortSignal.timeout(5_000));
      const lines = rows.map(([until, increments, counters, lag]) => [timeOfDay(Number(until) / 1000), count(Number(increments)), count(Number(counters)), `${(Number(lag) / 1000).toFixed(1)} s`]);
      replaceChildren(this.#body, ...lines.map((cells) => h('tr', {}, ...cells.map((cell, index) => h('td', { class: index > 0 ? 'is-number' : '' }, cell)))));
      setText(this.#note, rows.length === 0 ? 'No window was stored yet; the first comes with the first increments.' : '');
    } catch (failure) {
      setText(this.#note, `ClickHouse does not answer: ${failure instanceof Error ? failure.message : String(failure)} Counting goes on.`);
    }
  }
}
