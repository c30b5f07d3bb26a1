import { type ReactNode } from 'react';

import mark from '../assets/mark.svg';
import { strings } from '../strings';
import { ThemeToggle } from './ThemeToggle';

export interface PageHeadProps {
  /** Which page it is, beside the name of the product. */
  tag: string;
  children?: ReactNode;
}

export function PageHead({ tag, children }: PageHeadProps): ReactNode {
  return (
    <header className="page-head">
      <span className="brand">
        <img src={mark} alt="" width="32" height="32" />
        <span className="brand-name">{strings.brand}</span>
        <span className="tag">{tag}</span>
      </span>
      <span className="grow" />
      {children}
      <ThemeToggle />
    </header>
  );
}
