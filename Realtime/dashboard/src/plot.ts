/** Steps between whole numbers that people count in. */
export const integerSteps = Array.from({ length: 19 }, (_unused, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** A color of the theme, as it is now. */
export function color(host: HTMLElement, name: string): string {
  return getComputedStyle(host).getPropertyValue(name).trim();
}
