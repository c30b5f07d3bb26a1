// kill -9 of each of two replicas of ww-notifications in the midst of 10,000 events: whoever applies is hit.

import { useStack } from './harness.mjs';
import { survivesKills } from './crash.mjs';

const stack = useStack({ edges: 2, notifications: 2 });

stack.test(
  'nothing is lost, nothing is shown twice, numbers have no gap',
  () => survivesKills(stack, ['notifications', 'notifications-2']),
  { timeout: 300_000 },
);
