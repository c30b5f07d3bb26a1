import { type ReactNode, useSyncExternalStore } from 'react';

import { strings } from '../strings';
import { chooseTheme, currentTheme, subscribeTheme } from '../theme';
import { Icon } from './Icon';

export function ThemeToggle(): ReactNode {
  const theme = useSyncExternalStore(subscribeTheme, currentTheme);
  const other = theme === 'dark' ? 'light' : 'dark';
  const label = strings.theme[other];
  return (
    <button type="button" className="icon-button" title={label} aria-label={label} onClick={() => chooseTheme(other)}>
      <Icon name={other === 'dark' ? 'moon' : 'sun'} />
    </button>
  );
}
