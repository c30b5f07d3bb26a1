// Pings come from the server, pongs from the client. Nothing here asserts when.

import { frame, PING } from '../../e2e/raw.mjs';
import { wire } from '../case.mjs';
import { accepted, polled } from '../expected.mjs';
import {
  alive,
  begin,
  chatter,
  closes,
  ENGINE,
  get,
  getAny,
  join,
  live,
  next,
  park,
  answer,
  post,
  probe,
  raw,
  send,
  upgrade,
  wait,
} from '../steps.mjs';

const BY_HAND = { base: ENGINE, answerPings: false };

const onWebSocket = (name, steps, options) => wire(name, [begin('websocket', BY_HAND), ...steps], options);
const onPolling = (name, steps, options) => wire(name, [begin('polling', { base: ENGINE }), ...steps], options);

export const heartbeat = [
  onWebSocket('WebSocket: a ping after each pong', [next(), send('3'), next(), send('3'), next()]),
  onWebSocket('WebSocket: no pong, no session', [next(), closes()]),
  onWebSocket('WebSocket: a pong may carry data', [next(), send('3anything'), next(), send('3'), next()]),
  onWebSocket('WebSocket: an early pong does not replace the one that is asked for', [send('3'), next(), closes()]),
  onWebSocket('WebSocket: a ping of RFC 6455 asks for no Engine.IO ping', [send(frame(PING, 'x')), next(), send('3'), next()]),
  onWebSocket('WebSocket: a ping of the client while ours is unanswered', [next(), send('2'), closes()]),
  wire('WebSocket: traffic does not replace pings', [
    begin('websocket', { ...BY_HAND, base: ENGINE }),
    chatter('0', 600),
    next(1),
    closes(),
  ]),
  onWebSocket('WebSocket: whoever sends is alive', [next(), chatter('0', 1200), alive()], {
    reference: [['2'], ['closed: 1005']],
    ours: [['2'], ['alive']],
    why: 'a pong can be stuck behind a large message; the reference extends its deadline once and then closes',
  }),
  wire('WebSocket: a session that answers lives on', [begin('websocket', { base: ENGINE }), live(1500), alive()]),
  onPolling('polling: a ping after each pong', [getAny(), post('3'), getAny(), post('3'), getAny()]),
  onPolling('polling: no pong, no session', [getAny(), park(), answer(), getAny()]),
  onPolling('polling: without a poll the ping waits and the session ends all the same', [wait(900), getAny()]),
  onPolling('polling: a ping that waited comes with the next poll, first', [post('4a'), wait(380), getAny()], {
    reference: [accepted, polled('4a\x1e2')],
    ours: [accepted, polled('2\x1e4a')],
    why: 'behind what waits, the answer of a slow reader would come too late',
  }),
  onPolling('polling: a session that answers lives on', [live(1500), alive()]),
  onPolling('polling: a pong and a message in one body', [getAny(), post('3\x1e4x'), get(), alive()]),
  wire(
    'a ping that an upgrade overtook still has to be answered',
    [begin('polling', { base: ENGINE }), getAny(), probe(), upgrade('probe', { answerPings: false }), closes('probe', 2000)],
    {
      reference: [polled('2'), ['still open']],
      ours: [polled('2'), ['closed: 1005']],
      why: 'in the reference the upgrade stops the timer of the pong and a silent client stays for ever',
    },
  ),
  wire('a session that was upgraded lives on', [begin('polling', { base: ENGINE }), probe(), upgrade(), live(1500), alive()]),
  wire('Socket.IO: pings come before a namespace is joined', [
    begin('websocket', { answerPings: false }),
    next(),
    send('3'),
    next(),
  ]),
  wire('Socket.IO: a session with a namespace lives on (polling)', [begin('polling'), join(), live(1500), alive()]),
  wire('Socket.IO: a session with a namespace lives on (websocket)', [begin('websocket'), join(), live(1500), alive()]),
];
