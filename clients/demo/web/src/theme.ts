// Light or dark: as the device prefers, until somebody chooses. The page has it as its attribute `data-theme`, so that the
// colours of each stand in the style sheet once.

export type Theme = 'light' | 'dark';

const KEY = 'walletwire:theme';
const listeners = new Set<() => void>();
const device = window.matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  const theme = localStorage.getItem(KEY);
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}

export function currentTheme(): Theme {
  return chosen() ?? (device.matches ? 'dark' : 'light');
}

function apply(): void {
  document.documentElement.dataset['theme'] = currentTheme();
  for (const listener of listeners) listener();
}

export function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  apply();
}

/** Before anything is shown. */
export function startTheme(): void {
  device.addEventListener('change', apply);
  window.addEventListener('storage', apply); // chosen in another tab
  apply();
}
