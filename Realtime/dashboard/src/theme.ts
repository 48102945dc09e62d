import { h, icon, replaceChildren } from './dom';
import { icons } from './icons';

const key = 'sketch-theme';

/** Follows the system until the reader says otherwise. */
export function themeToggle(onChange: () => void): HTMLButtonElement {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const button = h('button', { class: 'tool', type: 'button', 'data-testid': 'theme', click: () => choose(isDark() ? 'light' : 'dark') });
  const isDark = (): boolean => (document.documentElement.dataset['theme'] ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const show = (): void => {
    replaceChildren(button, icon(isDark() ? icons.sun : icons.moon));
    button.setAttribute('aria-label', isDark() ? 'Use the light theme' : 'Use the dark theme');
    button.title = isDark() ? 'Light' : 'Dark';
    onChange();
  };
  const choose = (theme: string): void => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(key, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    show();
  };
  try {
    const chosen = localStorage.getItem(key);
    if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset['theme'] = chosen;
  } catch {
    // As above.
  }
  system.addEventListener('change', show);
  show();
  return button;
}
