import type { SqlAnswer } from '@sketch/client';
import uPlot from 'uplot';
import { h } from './dom';
import { axisLabels, count, dayAndMinuteOf } from './format';
import { color } from './plot';
import { isNumber, isTime } from './sqlTable';

const height = 340;
/** Told apart by place in the legend too. */
const tones = ['--accent', '--exact', '--warn', '--bad', '--soft'] as const;

/** The numbers of an answer over its first column: lines over times and numbers, bars over names. */
export class SqlChart {
  readonly element: HTMLElement;
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;

  /** Null when nothing in the answer can be drawn. */
  static of(answer: SqlAnswer): SqlChart | null {
    const first = answer.columns[0];
    if (first === undefined) return null;
    const isOver = isTime(first.type) || (isNumber(first.type) && answer.columns.length > 1);
    const numbers = answer.columns.map((column, index) => ({ ...column, index })).filter(({ type, index }) => isNumber(type) && (index > 0 || !isOver));
    return numbers.length === 0 ? null : new SqlChart(answer, isTime(first.type) ? 'times' : isOver ? 'numbers' : 'names', numbers.slice(0, tones.length));
  }

  private constructor(answer: SqlAnswer, over: 'times' | 'numbers' | 'names', numbers: readonly { readonly name: string; readonly index: number }[]) {
    const host = h('div', { class: 'sql-chart', role: 'img', 'aria-label': `Chart of ${numbers.map(({ name }) => name).join(', ')}`, 'data-testid': 'sql-plot' });
    this.element = host;
    const places = answer.rows.map(([cell], index) => (over === 'times' ? momentOf(cell) : over === 'numbers' ? Number(cell) : index));
    const order = places.map((_place, index) => index).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
    const names = order.map((row) => String(answer.rows[row]?.[0] ?? ''));
    const label = (at: number): string => (over === 'times' ? dayAndMinuteOf(at) : over === 'names' ? (names[at] ?? '') : count(at));
    const axis: Partial<uPlot.Axis> = {
      stroke: () => color(host, '--muted'),
      font: '11px "Inter Variable", system-ui, sans-serif',
      grid: { stroke: () => color(host, '--grid'), width: 1 },
      ticks: { show: false },
    };
    const bars = uPlot.paths.bars?.({ size: [0.6, 48] });
    this.#plot = new uPlot(
      {
        width: 600,
        height,
        padding: [12, 12, 0, 0],
        scales: {
          x: { time: over === 'times', ...(over === 'names' && { range: () => [-0.6, names.length - 0.4] as [number, number] }) },
          y: { range: (_plot, min, max) => [Math.min(0, min ?? 0), Math.max(1, (max ?? 1) * 1.05)] },
        },
        axes: [
          { ...axis, space: 90, ...(over === 'times' ? {} : { incrs: [1, 2, 5, 10, 20, 50, 100, 1_000, 10_000, 100_000, 1e6, 1e9], values: (_plot: uPlot, splits: number[]) => splits.map((at) => shorten(label(at))) }) },
          { ...axis, size: 72, values: (_plot, splits) => axisLabels(splits) },
        ],
        series: [
          { label: answer.columns[0]?.name ?? '', value: (_plot, at) => (at === null ? '–' : label(at)) },
          ...numbers.map(({ name }, index) => ({
            label: name,
            stroke: () => color(host, tones[index] ?? '--accent'),
            width: 2,
            points: { show: over !== 'names' && places.length < 60 },
            value: (_plot: uPlot, value: number | null) => (value === null ? '–' : Number.isInteger(value) ? count(value) : String(value)),
            ...(over === 'names' && bars && { paths: bars, fill: () => color(host, '--band'), width: 1 }),
          })),
        ],
      },
      [order.map((row) => places[row] ?? 0), ...numbers.map(({ index }) => order.map((row) => numberOf(answer.rows[row]?.[index])))],
      host,
    );
    this.#observer = new ResizeObserver(() => this.#plot.setSize({ width: Math.max(host.clientWidth, 60), height }));
    this.#observer.observe(host);
  }

  recolor(): void {
    this.#plot.redraw(false);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}

// ClickHouse writes moments of UTC columns without a zone.
function momentOf(cell: unknown): number {
  const text = String(cell);
  return Date.parse(text.length > 10 ? `${text.replace(' ', 'T')}Z` : `${text}T00:00:00Z`) / 1000;
}

function numberOf(cell: unknown): number | null {
  const value = cell === null || cell === undefined ? NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
}

function shorten(text: string): string {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
