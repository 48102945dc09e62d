type Child = Node | string | null | undefined | false;
type Properties = Record<string, string | number | boolean | EventListener | null | undefined>;

const svgNamespace = 'http://www.w3.org/2000/svg';

/** An element. Strings become text nodes, never markup: a counter's name may hold anything. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties?: Properties, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, properties);
  append(element, children);
  return element;
}

/** A line icon of 24 by 24 from path data. */
export function icon(...paths: string[]): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  apply(svg, { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' });
  for (const data of paths) {
    const path = document.createElementNS(svgNamespace, 'path');
    path.setAttribute('d', data);
    svg.append(path);
  }
  return svg;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function replaceChildren(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

function apply(element: Element, properties: Properties | undefined): void {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}
