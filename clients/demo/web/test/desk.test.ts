import { expect, test } from 'vitest';

import { bodyOf, FORMS, type FormSpec, initialValues } from '../src/desk/forms';

const form = (route: string): FormSpec => {
  const found = FORMS.find((one) => one.route === route);
  if (!found) throw new Error(route);
  return found;
};

test.each([
  ['POST /send', {}, { from: 'alice', to: 'bob', amount: '12.50', note: 'Lunch' }],
  [
    'POST /transfer',
    { fails: 'true', seconds: '5' },
    { from: 'alice', to: 'bob', amount: '80.00', seconds: 5, fails: true },
  ],
  [
    'POST /transfer',
    { amount: '1,5', fails: '' },
    { from: 'alice', to: 'bob', amount: '1.5', seconds: 10, fails: false },
  ],
  ['POST /friends', { friends: '' }, { userId: 'alice', friends: [] }],
  [
    'POST /broadcast',
    { 'audience.countries': 'FR, DE', expiresInSeconds: '60' },
    {
      title: 'Maintenance tonight',
      message: 'Card payments pause from 02:00 to 02:10.',
      severity: 'medium',
      expiresInSeconds: 60,
      audience: { countries: ['FR', 'DE'] },
    },
  ],
  ['POST /recall', { '': '{"kind":"kyc","id":"k1"}' }, { kind: 'kyc', id: 'k1' }],
  ['POST /recall', {}, {}],
])('%s with %j asks for %j', (route, changes, body) => {
  expect(bodyOf(form(route), { ...initialValues(form(route)), ...changes })).toEqual(body);
});
