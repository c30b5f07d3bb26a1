import { afterEach, expect, test, vi } from 'vitest';

import { randomId } from '../src/id.js';
import { SocketLink } from '../src/socket-link.js';

afterEach(() => void vi.unstubAllGlobals());

test('ids are made without crypto too', () => {
  vi.stubGlobal('crypto', undefined);
  const ids = new Set(Array.from({ length: 100 }, randomId));
  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('a window without events is no hindrance', () => {
  vi.stubGlobal('window', {});
  const link = new SocketLink({
    url: 'http://127.0.0.1:9',
    provide: () => null,
    renewable: false,
    backoff: { baseMs: 1000, maxMs: 1000 },
    socket: {},
  });
  link.open({ online: () => undefined, event: () => undefined });
  expect(link.state.get()).toEqual({ status: 'connecting' });
  link.close();
});
