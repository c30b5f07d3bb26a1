import { type ReactNode } from 'react';

// Drawn on a grid of 24 by 24.
const PATHS = {
  bell: 'M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20a2 2 0 0 0 4 0',
  chat: 'M4 6a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4a2 2 0 0 1-2-2z',
  home: 'M4 11l8-7 8 7M6 10v9h12v-9M10 19v-5h4v5',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5',
  out: 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9',
  send: 'M4 12l16-8-6 16-3-7z',
  check: 'M5 12.5l4.5 4.5L19 7',
  archive: 'M4 5h16v4H4zM6 9v10h12V9M10 13h4',
  back: 'M14 6l-6 6 6 6',
  close: 'M6 6l12 12M18 6L6 18',
  edit: 'M5 19h3.5L19 8.5 15.5 5 5 15.5zM13 7.5l3.5 3.5',
  bin: 'M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13',
  shield: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM12 8.5v4M12 16h.01',
  megaphone: 'M4 10v4h3l8 4V6l-8 4zM18 9.5a4 4 0 0 1 0 5M7 14l1 5h2',
  arrowIn: 'M17 7L7 17M7 9v8h8',
  arrowOut: 'M7 17L17 7M9 7h8v8',
  card: 'M3 7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM3 10h18M7 15h3',
  gauge: 'M4 17a8 8 0 1 1 16 0M12 17l4-5',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.5 20c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500',
  transfer: 'M4 9h15l-4-4M20 15H5l4 4',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4l3 2',
} as const;

export type IconName = keyof typeof PATHS;

/** Says nothing to screen readers: what it stands for is said beside it. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
