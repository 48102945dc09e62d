const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compactFormat = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndMinute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** 12,345. Beyond 2^53 a double has lost digits, so none are made up: ≈ 9.2234 × 10¹⁸. */
export function count(value: number): string {
  if (Number.isSafeInteger(value)) return whole.format(value);
  const [digits, power] = value.toExponential(4).split('e+');
  return `≈ ${digits} × 10${[...(power ?? '')].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`;
}

/** 12.3K */
export function compact(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : compactFormat.format(value);
}

/** Short labels of an axis, with as many digits as tell its steps apart: 1.365M, 1.37M. */
export function axisLabels(values: readonly number[]): string[] {
  const largest = Math.max(...values.map(Math.abs), 1);
  if (largest < 100_000) return values.map((value) => whole.format(value));
  const step = Math.abs((values[1] ?? 0) - (values[0] ?? 0)) || largest;
  const digits = Math.min(15, Math.max(2, Math.floor(Math.log10(largest)) - Math.floor(Math.log10(step)) + 1));
  const format = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: digits });
  return values.map((value) => format.format(value));
}

/** +1,234 / s */
export function rate(perSecond: number): string {
  const size = Math.abs(perSecond);
  if (size < 0.05) return 'at rest';
  const digits = size < 10 ? perSecond.toFixed(1) : compact(Math.round(perSecond));
  return `${perSecond > 0 ? '+' : ''}${digits} / s`;
}

/** 99 % */
export function percent(probability: number): string {
  return `${Number((probability * 100).toFixed(3))} %`;
}

/** 99.98 %; never rounded up to 100. */
export function share(part: number): string {
  return part >= 1 ? '100 %' : `${(Math.floor(part * 10_000) / 100).toFixed(2)} %`;
}

export function timeOfDay(seconds: number): string {
  return clock.format(new Date(seconds * 1000));
}

export function minuteOfDay(seconds: number): string {
  return minutes.format(new Date(seconds * 1000));
}

/** 25 Nov */
export function dayOf(seconds: number): string {
  return days.format(new Date(seconds * 1000));
}

/** 25 Nov, 10:05 */
export function dayAndMinuteOf(seconds: number): string {
  return dayAndMinute.format(new Date(seconds * 1000));
}

/** 1.2 GB */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(size, 1)) / 3));
  return `${Number((size / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/** 8 s ago, 3 min ago, 2 h ago */
export function ago(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 1) return 'just now';
  if (whole < 90) return `${whole} s ago`;
  if (whole < 5_400) return `${Math.round(whole / 60)} min ago`;
  return whole < 172_800 ? `${Math.round(whole / 3_600)} h ago` : `${Math.round(whole / 86_400)} days ago`;
}
