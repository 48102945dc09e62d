import { h } from './dom';

/** What to do when there is nothing to see yet. */
export function nothingCounted(): HTMLElement {
  return card(
    'no-namespaces',
    'Nothing is counted yet',
    'Make a namespace and send the first increment. The page looks again by itself.',
    `${making('demo')}\n${increment('demo')}`,
  );
}

export function noCounters(namespace: string): HTMLElement {
  return card('no-counters', `No counters in ${namespace} yet`, 'Send the first increment; it shows up here by itself.', increment(namespace));
}

export function noPins(): HTMLElement {
  return card('no-pins', 'The board is empty', 'Find a counter with the search field, or click one in the list of the heaviest, to pin it here.', null);
}

export function unknownNamespace(namespace: string): HTMLElement {
  return card('unknown-namespace', `There is no namespace ${namespace}`, 'Choose another one at the top, or make this one:', making(namespace));
}

export function unreachable(message: string): HTMLElement {
  return card('unreachable', 'The node does not answer', `${message} Check that it runs; the page tries again by itself.`, 'dotnet run -c Release --project Server');
}

const json = `  -H 'content-type: application/json' -d`;

function making(namespace: string): string {
  return `curl -X PUT ${location.origin}/v1/namespaces/${encodeURIComponent(namespace)} \\\n${json} '{}'`;
}

function increment(namespace: string): string {
  return `curl ${location.origin}/v1/namespaces/${encodeURIComponent(namespace)}/increments \\\n${json} '{"increments":[{"name":"hello","delta":1}]}'`;
}

function card(id: string, title: string, text: string, commands: string | null): HTMLElement {
  const element = h('div', { class: 'empty', 'data-testid': id }, h('h2', {}, title), h('p', {}, text));
  if (commands !== null) {
    const copy = h('button', { class: 'copy', type: 'button', click: () => void copyText(commands, copy) }, 'Copy');
    element.append(h('div', { class: 'commands' }, h('pre', { tabindex: 0, 'aria-label': 'Commands for a terminal' }, h('code', {}, commands)), copy));
  }
  return element;
}

async function copyText(text: string, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // Browsers give the clipboard to https and localhost pages only; the text can still be selected.
    button.textContent = 'Select it and copy';
  }
}
