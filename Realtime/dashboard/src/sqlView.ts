import type { SketchClient, SqlAnswer } from '@sketch/client';
import { h, replaceChildren, setText } from './dom';
import { bytes, compact } from './format';
import { examplesFor } from './sqlExamples';
import { SqlChart } from './sqlChart';
import { resultTable, toText } from './sqlTable';

type Form = 'table' | 'chart';

/** Asks ClickHouse, and shows the answer as a table or a chart. */
export class SqlView {
  readonly element: HTMLElement;
  readonly #client: SketchClient;
  readonly #onStatement: (sql: string) => void;
  readonly #editor: HTMLTextAreaElement;
  readonly #examples: HTMLSelectElement;
  readonly #run: HTMLButtonElement;
  readonly #copy: HTMLButtonElement;
  readonly #forms = new Map<Form, HTMLButtonElement>();
  readonly #note = h('p', { class: 'hint', role: 'status', 'data-testid': 'sql-note' });
  readonly #result = h('div', { class: 'result', 'data-testid': 'sql-result' });
  #namespace: string | null = null;
  #answer: SqlAnswer | null = null;
  #chart: SqlChart | null = null;
  #form: Form = 'table';
  #running: AbortController | null = null;

  constructor(client: SketchClient, onStatement: (sql: string) => void) {
    this.#client = client;
    this.#onStatement = onStatement;
    this.#editor = h('textarea', {
      class: 'editor', rows: 6, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', 'data-testid': 'sql',
      'aria-label': 'SQL statement; Ctrl and Enter run it',
      input: () => this.#onStatement(this.#editor.value),
      keydown: (event: Event) => this.#key(event as KeyboardEvent),
    });
    this.#examples = h('select', { 'aria-label': 'Examples', 'data-testid': 'sql-examples', change: () => this.#choose() });
    this.#run = h('button', { class: 'primary', type: 'button', 'data-testid': 'sql-run', click: () => void this.#ask() }, 'Run');
    this.#copy = h('button', { class: 'plain', type: 'button', 'data-testid': 'sql-copy', disabled: true, click: () => void this.#copyResult() }, 'Copy');
    const forms = (['table', 'chart'] as const).map((form) => this.#formButton(form));
    this.element = h(
      'div',
      { class: 'view', 'data-testid': 'sql-view' },
      h('h1', { class: 'visually-hidden' }, 'SQL'),
      h(
        'section',
        { class: 'panel is-flat', 'aria-label': 'Statement' },
        this.#editor,
        h('div', { class: 'toolbar' }, this.#run, h('span', { class: 'hint' }, h('kbd', {}, 'Ctrl'), ' ', h('kbd', {}, 'Enter')), this.#examples, this.#note, h('span', { class: 'grow' }), h('div', { class: 'segments', role: 'group', 'aria-label': 'Form of the result' }, ...forms), this.#copy),
      ),
      this.#result,
    );
    this.#show();
  }

  show(sql: string | null, namespace: string | null, isShown: boolean): void {
    if (namespace !== this.#namespace || this.#examples.options.length === 0) {
      this.#namespace = namespace;
      replaceChildren(this.#examples, h('option', { value: '' }, 'Examples'), ...examplesFor(namespace ?? 'demo').map(({ title, sql: text }) => h('option', { value: text }, title)));
    }
    if (!isShown) return;
    const wanted = sql ?? examplesFor(namespace ?? 'demo')[0]?.sql ?? '';
    if (this.#editor.value !== wanted && document.activeElement !== this.#editor) this.#editor.value = wanted;
    // A shared link opens with its answer: statements only read.
    if (sql !== null && this.#answer === null && this.#running === null) void this.#ask();
  }

  recolor(): void {
    this.#chart?.recolor();
  }

  #choose(): void {
    if (this.#examples.value === '') return;
    this.#editor.value = this.#examples.value;
    this.#examples.value = '';
    this.#onStatement(this.#editor.value);
    void this.#ask();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    this.#run.disabled = true;
    setText(this.#note, 'Asking ClickHouse …');
    try {
      const answer = await this.#client.rest.sql(this.#editor.value.trim().replace(/;$/, ''), {}, running.signal);
      if (running.signal.aborted) return;
      this.#answer = answer;
      setText(this.#note, `${compact(answer.rows.length)} ${answer.rows.length === 1 ? 'row' : 'rows'} in ${Math.max(1, Math.round(answer.seconds * 1000))} ms, ${compact(answer.rowsRead)} rows and ${bytes(answer.bytesRead)} read`);
      this.#show();
    } catch (failure) {
      if (running.signal.aborted) return;
      this.#answer = null;
      setText(this.#note, '');
      this.#chart?.destroy();
      this.#chart = null;
      replaceChildren(this.#result, failureOf(failure));
    } finally {
      this.#run.disabled = false;
      this.#copy.disabled = this.#answer === null;
    }
  }

  #formButton(form: Form): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-testid': `sql-form-${form}`, 'aria-pressed': 'false', click: () => this.#choosesForm(form) }, form === 'table' ? 'Table' : 'Chart');
    this.#forms.set(form, button);
    return button;
  }

  #choosesForm(form: Form): void {
    this.#form = form;
    this.#show();
  }

  #show(): void {
    for (const [form, button] of this.#forms) button.setAttribute('aria-pressed', String(form === this.#form));
    this.#chart?.destroy();
    this.#chart = null;
    const answer = this.#answer;
    if (answer === null) replaceChildren(this.#result, h('p', { class: 'hint is-start' }, 'Exact totals and history, up to the last checkpoint, in ClickHouse’s SQL. Statements read; nothing can be changed here.'));
    else if (answer.rows.length === 0) replaceChildren(this.#result, h('p', { class: 'hint is-start', 'data-testid': 'sql-empty' }, 'No rows. Loosen the filter, or wait for the next checkpoint when something was counted just now.'));
    else if (this.#form === 'table') replaceChildren(this.#result, resultTable(answer));
    else {
      this.#chart = SqlChart.of(answer);
      replaceChildren(this.#result, this.#chart?.element ?? h('p', { class: 'hint is-start', 'data-testid': 'sql-no-chart' }, 'A chart needs a column of numbers, beside a first column of times, names or numbers.'));
    }
  }

  async #copyResult(): Promise<void> {
    if (this.#answer === null) return;
    try {
      await navigator.clipboard.writeText(toText(this.#answer));
      setText(this.#note, 'Copied, with tabs between the columns.');
    } catch {
      setText(this.#note, 'The browser does not give the clipboard to this page; select the table and copy it.');
    }
  }
}

function failureOf(failure: unknown): HTMLElement {
  const text = failure instanceof Error ? failure.message : String(failure);
  return h('div', { class: 'failure', role: 'alert', 'data-testid': 'sql-error' }, h('h2', {}, 'ClickHouse refused the statement'), h('pre', { tabindex: 0, 'aria-label': 'What ClickHouse said' }, text.replace(/\s*\(version [^)]*\)/, '')), h('p', {}, 'Change it and run it again. Allowed: one statement that begins with SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or EXISTS.'));
}
