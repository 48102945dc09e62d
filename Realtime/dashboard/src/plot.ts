/** Steps between whole numbers that people count in. */
export const integerSteps = Array.from({ length: 19 }, (_unused, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Steps of time that clocks and calendars have. */
export const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** A color of the theme, as it is now. */
export function color(host: HTMLElement, name: string): string {
  return getComputedStyle(host).getPropertyValue(name).trim();
}
