import type { SqlAnswer } from '@sketch/client';
import { h } from './dom';
import { count } from './format';

/** More would make the page slow, and nobody reads them. */
const shown = 500;

/** Rows as a table; whole numbers keep all their digits. */
export function resultTable(answer: SqlAnswer): HTMLElement {
  const areNumbers = answer.columns.map(({ type }) => isNumber(type));
  const classOf = (index: number): string => (areNumbers[index] === true ? 'is-number' : '');
  const head = h('thead', {}, h('tr', {}, ...answer.columns.map(({ name, type }, index) => h('th', { scope: 'col', class: classOf(index), title: type }, name))));
  const rows = answer.rows.slice(0, shown).map((row) => h('tr', {}, ...row.map((cell, index) => h('td', { class: classOf(index) }, textOf(cell, areNumbers[index] === true)))));
  const more = answer.rows.length - rows.length;
  return h(
    'div',
    {},
    h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Result' }, h('table', { 'data-testid': 'sql-table' }, head, h('tbody', {}, ...rows))),
    more > 0 && h('p', { class: 'hint is-start' }, `${count(more)} more rows are not shown; Copy takes all.`),
  );
}

/** The whole answer, with tabs between columns, as spreadsheets take it. */
export function toText(answer: SqlAnswer): string {
  return [answer.columns.map(({ name }) => name), ...answer.rows.map((row) => row.map((cell) => textOf(cell, false).replace(/[\t\n\r]/g, ' ')))].map((row) => row.join('\t')).join('\n');
}

export function isNumber(type: string): boolean {
  return /^(Nullable\(|LowCardinality\(|SimpleAggregateFunction\(\w+, )*(U?Int|Float|Decimal|BFloat)/.test(type);
}

export function isTime(type: string): boolean {
  return /^(Nullable\(|LowCardinality\()*Date/.test(type);
}

function textOf(cell: unknown, group: boolean): string {
  if (cell === null || cell === undefined) return '∅';
  if (typeof cell === 'object') return JSON.stringify(cell);
  const text = String(cell);
  return group && /^-?\d{5,}$/.test(text) ? text.replace(/\B(?=(\d{3})+(?!\d))/g, ',') : text;
}
