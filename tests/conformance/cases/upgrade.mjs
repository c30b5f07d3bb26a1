// From polling to WebSocket: the probe, what polls get meanwhile, what is buffered, and all that can go wrong.

import { wire } from '../case.mjs';
import { polled, refused } from '../expected.mjs';
import {
  alive,
  answer,
  begin,
  ENGINE,
  frames,
  get,
  getAny,
  join,
  next,
  park,
  post,
  probe,
  raw,
  request,
  say,
  sendOn,
  shut,
  upgrade,
  ws,
} from '../steps.mjs';

const SECOND = `${ENGINE}?EIO=4&transport=websocket&sid={sid}`;
const ANY = { view: { only: [] } };

const engine = (name, steps, options) => wire(name, [begin('polling', { base: ENGINE }), ...steps], options);

const wrongProbes = [
  ['a message', '4x'],
  ['a ping without the word', '2'],
  ['a ping with another word', '2probing'],
  ['a pong', '3'],
  ['a close packet', '1'],
  ['a noop', '6'],
  ['an open packet', '0'],
  ['something unreadable', '9'],
  ['nothing', ''],
  ['binary', Buffer.from([1, 2, 3])],
].map(([name, sent]) =>
  engine(`${name} on the socket that should probe closes that socket only`, [
    ws(SECOND),
    sendOn('ws', sent),
    frames('ws'),
    alive(),
  ]),
);

const afterTheProbe = [
  ['a message', '4x'],
  ['a close packet', '1'],
].map(([name, sent]) =>
  engine(`${name} after the probe closes that socket only`, [probe(), sendOn('probe', sent), frames('probe'), alive()]),
);

const dance = [
  engine('the whole dance', [ws(SECOND), sendOn('ws', '2probe'), next(1, 'ws'), upgrade('ws'), alive()]),
  engine('the probe can be asked for twice', [
    ws(SECOND),
    sendOn('ws', '2probe'),
    sendOn('ws', '2probe'),
    next(2, 'ws'),
    upgrade('ws'),
    alive(),
  ]),
  engine('an upgrade without a probe', [ws(SECOND), upgrade('ws'), alive()]),
  engine('a poll that waits is let go with a noop', [park(), probe(), answer(), upgrade(), alive()]),
  engine('a poll that comes during the upgrade is let go too', [
    park('one'),
    probe(),
    answer('one'),
    get(),
    get(),
    upgrade(),
    alive(),
  ]),
  engine('a poll during the upgrade gets the messages', [probe(), post('4a'), get(), upgrade(), alive()]),
  engine('posts work until the upgrade', [probe(), post('4a'), post('4b'), upgrade(), next(2), alive()]),
  engine('messages that no poll has fetched follow on the WebSocket, in order', [
    raw('4a', Buffer.from([1, 2]), '4b'),
    probe(),
    frames('probe'),
    upgrade(),
    next(3),
    alive(),
  ]),
  engine('messages right behind the upgrade packet', [probe(), sendOn('probe', '5', '4a', '4b'), next(2, 'probe')]),
  engine('polling is over after the upgrade', [probe(), upgrade(), getAny(), post('4x'), alive()]),
  engine(
    'transport=websocket without an upgrade is refused after the upgrade too',
    [probe(), upgrade(), request('GET', `${ENGINE}?EIO=4&transport=websocket&sid={sid}`, { within: 1000 }), alive()],
    {
      reference: ['no answer', ['alive']],
      ours: [refused(3), ['alive']],
      why: 'in the reference it is the transport of the session, so the request is taken and never answered',
    },
  ),
  engine('polling goes on when the probing socket goes away', [
    probe(),
    sendOn('probe', 'x'),
    frames('probe'),
    park(),
    post('4a'),
    answer(),
    alive(),
  ]),
  engine('another attempt after one that failed', [
    probe('one'),
    sendOn('one', 'x'),
    frames('one'),
    probe('two'),
    upgrade('two'),
    alive(),
  ]),
  engine('b64 of the WebSocket counts, not that of the polls', [
    ws(`${SECOND}&b64=1`),
    sendOn('ws', '2probe'),
    next(1, 'ws'),
    upgrade('ws'),
    raw(Buffer.from([1, 2, 3])),
    alive(),
  ]),
];

const clashes = [
  engine('a second WebSocket during the upgrade comes to nothing', [
    probe('one'),
    ws(SECOND, ANY),
    shut(),
    upgrade('one'),
    alive(),
  ]),
  engine('a second WebSocket after the upgrade comes to nothing', [probe(), upgrade(), ws(SECOND, ANY), shut(), alive()]),
  wire(
    'a session born on a WebSocket cannot be taken over',
    [begin('websocket', { base: ENGINE }), ws(SECOND, ANY), sendOn('ws', '2probe', '5'), alive()],
    {
      reference: [['closed: 1005']],
      ours: [['alive']],
      why: 'in the reference whoever knows the id moves the session to a socket of his own',
    },
  ),
  engine('a WebSocket of another revision', [ws(`${ENGINE}?EIO=3&transport=websocket&sid={sid}`), alive()]),
  engine('a WebSocket to a session that was closed', [post('1'), ws(SECOND)]),
  engine('closing by POST during the upgrade closes both', [probe(), post('1'), frames('probe'), post('4x')]),
  engine('a poll that waits when the upgrade comes', [ws(SECOND, ANY), park(), upgrade('ws'), answer(), alive()], {
    reference: [polled('1'), ['alive']],
    ours: [polled('6'), ['alive']],
    why: 'the poll is let go, the session is not closed; the reference answers it with a close packet',
  }),
];

const socketIo = [
  wire('Socket.IO: events before, during and after', [
    begin('polling'),
    join(),
    say('2["message",1]'),
    probe(),
    say('2["message",2]'),
    upgrade(),
    say('2["message",3]'),
    alive(),
  ]),
  wire('Socket.IO: CONNECT after the upgrade', [begin('polling'), probe(), upgrade(), join(), say('2["message",1]'), alive()]),
  wire('Socket.IO: a binary event follows on the WebSocket in one piece', [
    begin('polling'),
    join(),
    say('51-["message",{"_placeholder":true,"num":0}]', Buffer.from([1, 2, 3])),
    probe(),
    upgrade(),
    alive(),
  ]),
];

export { table as upgrade };
const table = [...wrongProbes, ...afterTheProbe, ...dance, ...clashes, ...socketIo];
