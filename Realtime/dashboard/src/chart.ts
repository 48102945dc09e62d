import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { axisLabels, count, minuteOfDay, timeOfDay } from './format';
import type { Series } from './series';

const height = 148;
/** While there is little to show, the line starts at the right of this many seconds rather than being stretched. */
const shortestSeconds = 30;

/** A live line with the band that the truth lies in, and the moments up to which it was exact. */
export class Chart {
  readonly #plot: uPlot;
  readonly #series: Series;
  readonly #readout: HTMLElement;
  readonly #observer: ResizeObserver;
  #windowSeconds: number;

  constructor(host: HTMLElement, series: Series, readout: HTMLElement, windowSeconds: number) {
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

  #data(): uPlot.AlignedData {
    const { times, values, lower, upper } = this.#series;
    return [times, lower, upper, values];
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
        x: { time: true, range: (_plot, _min, max) => this.#xRange(max) },
        y: { range: (_plot, min, max) => yRange(min, max) },
      },
      axes: [
        { ...axis, size: 24, gap: 6, space: 72, values: timeLabels },
        { ...axis, size: (_plot, labels) => 14 + 6.6 * Math.max(4, ...(labels ?? []).map((label) => label.length)), gap: 6, space: 34, incrs: integerSteps, values: (_plot, splits) => axisLabels(splits) },
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
        setCursor: [(plot) => this.#showReadout(plot)],
      },
    };
  }

  #xRange(last: number | null): [number, number] {
    const end = last ?? Date.now() / 1000;
    const first = this.#series.times[0] ?? end;
    const span = Math.min(this.#windowSeconds, Math.max(shortestSeconds, (end - first) * 1.02));
    return [end - span, end];
  }

  #drawMoments(plot: uPlot, host: HTMLElement): void {
    const { ctx: context, bbox } = plot;
    const ratio = devicePixelRatio;
    context.save();
    context.strokeStyle = context.fillStyle = color(host, '--exact');
    context.lineWidth = ratio;
    for (const moment of this.#series.exactMoments) {
      const x = Math.round(plot.valToPos(moment, 'x', true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      context.setLineDash([3 * ratio, 3 * ratio]);
      context.globalAlpha = 0.55;
      context.beginPath();
      context.moveTo(x, bbox.top);
      context.lineTo(x, bbox.top + bbox.height);
      context.stroke();
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(x, bbox.top, 2.5 * ratio, 0, 2 * Math.PI);
      context.fill();
    }
    context.restore();
  }

  #showReadout(plot: uPlot): void {
    const index = plot.cursor.idx;
    const { times, values, lower, upper } = this.#series;
    const [value, low, high, time] = index === null || index === undefined ? [] : [values[index], lower[index], upper[index], times[index]];
    this.#readout.textContent =
      value === null || value === undefined || time === undefined
        ? ''
        : `${timeOfDay(time)}  ${count(value)}${low === high ? '  exact' : `  ${count(low ?? value)} – ${count(high ?? value)}`}`;
  }
}

// A label that would be cut off at the right edge is left out.
function timeLabels(plot: uPlot, splits: number[]): string[] {
  const room = plot.bbox.width / devicePixelRatio;
  return splits.map((at) => (plot.valToPos(at, 'x') > room - 28 ? '' : at % 60 === 0 ? minuteOfDay(at) : timeOfDay(at)));
}

const integerSteps = Array.from({ length: 19 }, (_unused, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

function yRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = Math.max((max - min) * 0.08, 1, Math.abs(max) * 1e-9);
  return [min >= 0 ? Math.max(0, min - room) : min - room, max + room];
}

function color(host: HTMLElement, name: string): string {
  return getComputedStyle(host).getPropertyValue(name).trim();
}
