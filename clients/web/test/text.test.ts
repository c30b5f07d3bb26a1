import { expect, test } from 'vitest';

import { RealtimeError, unwrap } from '../src/errors.js';
import { unescapeHtml } from '../src/text.js';
import { subjectOf } from '../src/token.js';

test('a text is what its author wrote, unescaped once', () => {
  expect(unescapeHtml('&lt;b&gt; &amp;amp; &quot;&#39;&#x27; &unknown; &')).toBe(`<b> &amp; "'' &unknown; &`);
});

test('the user of a token is read whatever its letters', () => {
  const payload = Buffer.from(JSON.stringify({ sub: 'Zoë ✓' })).toString('base64url');
  expect(subjectOf(`x.${payload}.y`)).toBe('Zoë ✓');
  expect(subjectOf('nonsense')).toBe('');
});

test('an answer is its body or the error it tells', () => {
  expect(unwrap({ ok: true, n: 1 })).toMatchObject({ n: 1 });
  const limited = { ok: false, error: { code: 'rate_limited', message: 'slower', retryAfterMs: 5 } };
  expect(() => unwrap(limited)).toThrow(RealtimeError);
  expect(() => unwrap(limited)).toThrow(
    expect.objectContaining({ code: 'rate_limited', temporary: true, retryAfterMs: 5 }) as Error,
  );
  expect(() => unwrap('nonsense')).toThrow(expect.objectContaining({ code: 'internal', temporary: false }) as Error);
});
