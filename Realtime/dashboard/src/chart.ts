import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { halfWidth } from '@sketch/client';
import { axisLabels, compact, count, dayAndMinuteOf, dayOf, minuteOfDay, timeOfDay } from './format';
import { color, integerSteps, timeSteps } from './plot';
import type { Columns, Series } from './series';

const height = 176;
const daySeconds = 86_400;
/** Under the line: how far off the value was at most. It grows while increments are estimated and falls when they become exact. */
const strip = { height: 20, gap: 8 } as const;
/** While there is little to show, the line starts at the right of this many seconds rather than being stretched. */
const shortestSeconds = 30;
/** Moments closer than this many pixels, on average, are dots; only the newest keeps its line. */
const roomPerMoment = 56;

/** A live line with the band that the truth lies in, and the moments up to which it was exact. */
export class Chart {
  readonly #plot: uPlot;
  readonly #host: HTMLElement;
  readonly #series: Series;
  readonly #readout: HTMLElement;
  readonly #observer: ResizeObserver;
  #windowSeconds: number;

  constructor(host: HTMLElement, series: Series, readout: HTMLElement, windowSeconds: number) {
    this.#host = host;
    this.#series = series;
    this.#readout = readout;
    this.#windowSeconds = windowSeconds;
    this.#plot = new uPlot(this.#options(host), this.#data(), host);
    this.#observer = new ResizeObserver(() => this.#plot.setSize({ width: Math.max(host.clientWidth, 60), height }));
    this.#observer.observe(host);
  }

  set windowSeconds(seconds: number) {
    this.#windowSeconds = seconds;
    this.refresh();
  }

  refresh(): void {
    this.#plot.setData(this.#data());
  }

  /** Takes the theme's colors anew. */
  recolor(): void {
    this.#plot.redraw(false);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }

  #data(): Columns {
    const columns = this.#series.columns((this.#series.last ?? Date.now() / 1000) - this.#windowSeconds);
    const [times] = columns;
    this.#host.dataset['points'] = String(times.length);
    this.#host.dataset['from'] = String(times[0] ?? '');
    this.#host.dataset['moments'] = String(this.#series.exactMoments.length);
    return columns;
  }

  #options(host: HTMLElement): uPlot.Options {
    const axis: Partial<uPlot.Axis> = {
      stroke: () => color(host, '--muted'),
      font: '11px "Inter Variable", system-ui, sans-serif',
      grid: { stroke: () => color(host, '--grid'), width: 1 },
      ticks: { show: false },
    };
    const edge: Partial<uPlot.Series> = { stroke: () => color(host, '--band-edge'), width: 1, points: { show: false } };
    return {
      width: Math.max(host.clientWidth, 60),
      height,
      padding: [10, 2, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: true, range: (plot) => this.#xRange(plot.data[0]) },
        y: { range: (_plot, min, max) => yRange(min, max) },
      },
      axes: [
        { ...axis, size: 24 + strip.height + strip.gap, gap: 6 + strip.height + strip.gap, space: 62, incrs: timeSteps, values: timeLabels },
        { ...axis, size: (_plot, labels) => 14 + 6.6 * Math.max(7, ...(labels ?? []).map((label) => label.length)), gap: 6, space: 34, incrs: integerSteps, values: (_plot, splits) => axisLabels(splits) },
      ],
      series: [
        {},
        edge,
        edge,
        { stroke: () => color(host, '--accent'), width: 2, points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: () => color(host, '--band') }],
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      hooks: {
        drawSeries: [(plot, index) => index === 3 && this.#drawMoments(plot, host)],
        draw: [(plot) => this.#drawDoubt(plot, host)],
        setCursor: [(plot) => this.#showReadout(plot)],
      },
    };
  }

  #xRange(times: ArrayLike<number> | undefined): [number, number] {
    const end = times?.[times.length - 1] ?? Date.now() / 1000;
    const first = times?.[0] ?? end;
    const span = Math.min(this.#windowSeconds, Math.max(shortestSeconds, (end - first) * 1.02));
    return [end - span, end];
  }

  #drawMoments(plot: uPlot, host: HTMLElement): void {
    const { ctx: context, bbox } = plot;
    const ratio = devicePixelRatio;
    context.save();
    context.strokeStyle = context.fillStyle = color(host, '--exact');
    context.lineWidth = ratio;
    const moments = this.#series.exactMoments.map((moment) => Math.round(plot.valToPos(moment, 'x', true)));
    const seen = moments.filter((x) => x >= bbox.left && x <= bbox.left + bbox.width);
    const areCrowded = seen.length > bbox.width / (roomPerMoment * ratio);
    for (const [index, x] of seen.entries()) {
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(x, bbox.top, (areCrowded ? 1.8 : 2.5) * ratio, 0, 2 * Math.PI);
      context.fill();
      if (areCrowded && index < seen.length - 1) continue;
      context.setLineDash([3 * ratio, 3 * ratio]);
      context.globalAlpha = 0.55;
      context.beginPath();
      context.moveTo(x, bbox.top);
      context.lineTo(x, bbox.top + bbox.height);
      context.stroke();
    }
    context.restore();
  }

  #drawDoubt(plot: uPlot, host: HTMLElement): void {
    const { ctx: context, bbox } = plot;
    const ratio = devicePixelRatio;
    const [times, lower, upper, values] = plot.data as Columns;
    const from = Math.max(0, times.findIndex((time) => time >= (plot.scales['x']?.min ?? 0)));
    const doubts = values.slice(from).map((value, index) =>
      value === null ? 0 : halfWidth({ value, lower: lower[from + index] ?? value, upper: upper[from + index] ?? value }));
    const most = Math.max(1, ...doubts);
    const floor = bbox.top + bbox.height + (strip.gap + strip.height) * ratio;
    const xOf = (index: number): number => plot.valToPos(times[from + index] ?? 0, 'x', true);
    context.save();
    context.fillStyle = color(host, '--grid');
    context.fillRect(bbox.left, floor, bbox.width, ratio);
    context.beginPath();
    context.moveTo(xOf(0), floor);
    for (const [index, doubt] of doubts.entries()) context.lineTo(xOf(index), floor - (doubt / most) * strip.height * ratio);
    context.lineTo(xOf(doubts.length - 1), floor);
    context.closePath();
    context.fillStyle = color(host, '--doubt');
    context.fill();
    context.fillStyle = color(host, '--muted');
    context.font = `${11 * ratio}px "Inter Variable", system-ui, sans-serif`;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const label = doubts.some((doubt) => doubt > 0) ? `± ${compact(most)}` : '± 0';
    context.fillText(label, bbox.left - 6 * ratio, floor - (strip.height / 2) * ratio);
    context.restore();
  }

  #showReadout(plot: uPlot): void {
    const index = plot.cursor.idx;
    const [times, lower, upper, values] = plot.data as Columns;
    const [value, low, high, time] = index === null || index === undefined ? [] : [values[index], lower[index], upper[index], times[index]];
    this.#readout.textContent =
      value === null || value === undefined || time === undefined
        ? ''
        : `${this.#windowSeconds > daySeconds / 2 ? dayAndMinuteOf(time) : timeOfDay(time)}  ${count(value)}${low === high ? '  exact' : `  ${count(low ?? value)} – ${count(high ?? value)}`}`;
  }
}

// A label that would be cut off at the right edge is left out.
function timeLabels(plot: uPlot, splits: number[]): string[] {
  const room = plot.bbox.width / devicePixelRatio;
  return splits.map((at) => (plot.valToPos(at, 'x') > room - 28 ? '' : isMidnight(at) ? dayOf(at) : at % 60 === 0 ? minuteOfDay(at) : timeOfDay(at)));
}

function isMidnight(at: number): boolean {
  const moment = new Date(at * 1000);
  return moment.getHours() === 0 && moment.getMinutes() === 0 && moment.getSeconds() === 0;
}

function yRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = Math.max((max - min) * 0.08, 1, Math.abs(max) * 1e-9);
  return [min >= 0 ? Math.max(0, min - room) : min - room, max + room];
}
