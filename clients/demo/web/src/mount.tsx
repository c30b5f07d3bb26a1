import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';

import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { startTheme } from './theme';

/** Shows a page. */
export function mount(page: ReactNode): void {
  const root = document.getElementById('root');
  if (!root) throw new Error('there is no element "root"');
  startTheme();
  createRoot(root).render(<StrictMode>{page}</StrictMode>);
}
