import uPlot from 'uplot';
import { axisLabels, minuteOfDay, timeOfDay } from './format';
import { color, integerSteps } from './plot';

const height = 96;
const keepSeconds = 300;

/** The node's rate over the last five minutes that the page was open. */
export class RateLine {
  readonly #plot: uPlot;
  readonly #times: number[] = [];
  readonly #rates: number[] = [];

  constructor(host: HTMLElement) {
    const axis: Partial<uPlot.Axis> = {
      stroke: () => color(host, '--muted'),
      font: '11px "Inter Variable", system-ui, sans-serif',
      grid: { stroke: () => color(host, '--grid'), width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        width: 300,
        height,
        padding: [8, 2, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true, range: (_plot, min, max) => [Math.min(min, max - 30), max] }, y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 1) * 1.1)] } },
        axes: [
          { ...axis, size: 22, gap: 4, space: 80, values: timeLabels },
          { ...axis, size: 52, gap: 6, space: 26, incrs: integerSteps, values: (_plot, splits) => axisLabels(splits) },
        ],
        series: [{}, { stroke: () => color(host, '--accent'), fill: () => color(host, '--band'), width: 2, points: { show: false } }],
      },
      [this.#times, this.#rates],
      host,
    );
    new ResizeObserver(() => this.#plot.setSize({ width: Math.max(host.clientWidth, 60), height })).observe(host);
  }

  add(time: number, rate: number): void {
    this.#times.push(time);
    this.#rates.push(rate);
    while ((this.#times[0] ?? time) < time - keepSeconds) {
      this.#times.shift();
      this.#rates.shift();
    }
  }

  render(): void {
    this.#plot.setData([this.#times, this.#rates]);
  }

  recolor(): void {
    this.#plot.redraw(false);
  }
}

// A label that would be cut off at the right, or run into the other axis, is left out.
function timeLabels(plot: uPlot, splits: number[]): string[] {
  const room = plot.bbox.width / devicePixelRatio;
  return splits.map((at) => {
    const x = plot.valToPos(at, 'x');
    return x < 24 || x > room - 28 ? '' : at % 60 === 0 ? minuteOfDay(at) : timeOfDay(at);
  });
}
