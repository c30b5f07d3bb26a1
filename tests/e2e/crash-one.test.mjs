// kill -9 of the only replica of ww-notifications, twice, in the midst of 10,000 events.

import { useStack } from './harness.mjs';
import { survivesKills } from './crash.mjs';

const stack = useStack({ edges: 2, notifications: 1 });

stack.test(
  'nothing is lost, nothing is shown twice, numbers have no gap',
  () => survivesKills(stack, ['notifications', 'notifications']),
  { timeout: 300_000 },
);
