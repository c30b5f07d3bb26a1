import { type ReactNode } from 'react';

export interface AvatarProps {
  name: string;
  colour: string;
  size?: 'large' | 'tiny';
  presence?: string | undefined;
}

/** Decoration: the name is said beside it. */
export function Avatar({ name, colour, size, presence }: AvatarProps): ReactNode {
  const initials = name
    .split(' ')
    .map((word) => word.charAt(0))
    .slice(0, 2)
    .join('');
  return (
    <span className={`avatar ${size ?? ''}`} style={{ backgroundColor: colour }} aria-hidden="true">
      {initials}
      {presence !== undefined && <span className={`presence ${presence}`} />}
    </span>
  );
}
