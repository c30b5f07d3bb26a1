import { type NatsConnection } from '@nats-io/nats-core';
import { expect, test, vi } from 'vitest';

import { RealtimeNotifications } from '../src/index.js';

const publish =
  vi.fn<(subject: string, bytes: Uint8Array, options: { msgID: string; timeout: number }) => Promise<object>>();
vi.mock('@nats-io/jetstream', () => ({ jetstream: () => ({ publish }) }));

const bank = new RealtimeNotifications({} as NatsConnection);
const kyc = { status: 'verified' };

test('no try takes longer than the call may', async () => {
  publish.mockReset().mockRejectedValue(new Error('down'));
  await expect(bank.notifyKyc('ann', kyc, { timeoutMs: 120 })).rejects.toMatchObject({ code: 'unavailable' });
  const timeouts = publish.mock.calls.map(([, , { timeout }]) => timeout);
  expect(timeouts.length).toBeGreaterThan(0);
  for (const timeout of timeouts) expect(timeout).toBeLessThanOrEqual(120);
});

test('an abort ends a call that is under way, and one that was not begun', async () => {
  publish.mockReset().mockReturnValue(new Promise(() => undefined));
  const abort = new AbortController();
  const call = bank.notifyKyc('ann', kyc, { signal: abort.signal });
  abort.abort();
  const error = { name: 'BackendError', code: 'aborted', temporary: false };
  await expect(call).rejects.toMatchObject(error);
  await expect(bank.notifyKyc('ann', kyc, { signal: abort.signal })).rejects.toMatchObject(error);
  expect(publish).toHaveBeenCalledTimes(1);
});

test('an abort ends the wait between two tries', async () => {
  const abort = new AbortController();
  publish.mockReset().mockImplementation(() => {
    queueMicrotask(() => abort.abort());
    return Promise.reject(new Error('down'));
  });
  await expect(bank.notifyKyc('ann', kyc, { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
});

test('an error names the event, which is the same one when it is called again with that', async () => {
  publish.mockReset().mockRejectedValueOnce(new Error('down')).mockResolvedValue({ seq: 7, duplicate: false });
  const failed = await bank.notifyKyc('ann', kyc, { timeoutMs: 1 }).catch((error: unknown) => error);
  const { id } = failed as { id: string };
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  await expect(bank.notifyKyc('ann', kyc, { event_id: id })).resolves.toEqual({ id, seq: 7, duplicate: false });
  const ids = publish.mock.calls.map(([, , { msgID }]) => msgID);
  expect(ids).toEqual([`kyc/${id}`, `kyc/${id}`]);
});
