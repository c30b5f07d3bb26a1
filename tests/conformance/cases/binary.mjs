// Events with attachments, in the default encoding: a header that announces them, then the bytes.

import { both, wire } from '../case.mjs';
import { alive, begin, fetched, frames, get, join, next, park, post, raw, say, send } from '../steps.mjs';

const A = Buffer.from([1, 2, 3]);
const B = Buffer.from([4, 5]);
const NONE = Buffer.alloc(0);
const hole = (num) => `{"_placeholder":true,"num":${num}}`;

const event = (name, ...packets) => both(name, (on) => [begin(on), join(), say(...packets), alive()]);
const once = (name, ...packets) => wire(name, [begin('websocket'), join(), say(...packets), alive()]);

// One that the reference takes and ours does not.
const differs = (name, packets, reference, why) =>
  wire(name, [begin('websocket'), join(), say(...packets), alive()], { reference: [reference], ours: [['closed: 1005']], why });

const holes = (count) => Array.from({ length: count }, (_, i) => hole(i)).join(',');
const buffers = (count) => Array.from({ length: count }, (_, i) => Buffer.from([i]));

export const binary = [
  ...event('one attachment', `51-["message",${hole(0)}]`, A),
  ...event('two attachments', `52-["message",${hole(0)},${hole(1)}]`, A, B),
  ...event('an attachment deep inside', `51-["message",{"a":[1,{"b":${hole(0)}}]}]`, A),
  ...event('an empty attachment', `51-["message",${hole(0)}]`, NONE),
  ...event('an acknowledgement with an attachment', `51-7["message-with-ack",${hole(0)}]`, A),
  ...event('placeholders out of order', `52-["message",${hole(1)},${hole(0)}]`, A, B),
  ...event('ten attachments', `510-["message",${holes(10)}]`, ...buffers(10)),
  ...event('eleven attachments', `511-["message",${holes(11)}]`, ...buffers(11)),
  ...event('text instead of an attachment', `51-["message",${hole(0)}]`, '2["message",1]'),
  ...event('an attachment that nobody announced', A),
  once('an attachment of 100,000 bytes', `51-["message",${hole(0)}]`, Buffer.alloc(100_000, 7)),
  once('text next to an attachment', `51-["message","text",${hole(0)},5]`, A),
  once('events with attachments one after another', `51-["message",${hole(0)}]`, A, `51-["message",${hole(0)}]`, B),
  once('text after the attachments', `51-["message",${hole(0)}]`, A, '2["message",1]'),
  once('an attachment as base64 text', `51-["message",${hole(0)}]`, A),
  once('an acknowledgement with text and bytes', `52-7["message-with-ack",1,${hole(0)},{"x":${hole(1)}}]`, A, B),
  once('an event that nobody listens to', `51-["nobody",${hole(0)}]`, A),
  wire(
    'an attachment too many',
    [begin('websocket'), join(), say(`51-["message",${hole(0)}]`, A, B), alive()],
    {
      reference: [['closed: 1005']],
      ours: [['45-["message-back","hex:010203"]', 'closed: 1005']],
      why: 'what was whole before is answered before the connection ends',
    },
  ),
  once('written with /', `51-/,["message",${hole(0)}]`, A),
  once('an answer to nothing, with an attachment', `61-0[${hole(0)}]`, A),
  once('an attachment that no placeholder uses', '51-["message",1]', A),
  once('the same attachment twice', `51-["message",${hole(0)},${hole(0)}]`, A),
  once('a placeholder that is not announced', `51-["message",${hole(1)}]`, A),
  once('a placeholder below zero', `51-["message",${hole(-1)}]`, A),
  once('a placeholder with a string', `51-["message",${hole('"0"')}]`, A),
  differs(
    'a placeholder with a fraction',
    [`51-["message",${hole(0.5)}]`, A],
    ['42["message-back",null]', 'alive'],
    'half a number counts no attachment; the reference hands on undefined',
  ),
  once('a placeholder with null', `51-["message",${hole('null')}]`, A),
  once('a placeholder without a number', '51-["message",{"_placeholder":true}]', A),
  once('a placeholder as name', `51-[${hole(0)}]`, A),
  once('a reserved name', `51-["connect",${hole(0)}]`, A),
  once('zero attachments', '50-["message",1]'),
  once('no number of attachments', `5-["message",${hole(0)}]`, A),
  once('no dash', `51["message",${hole(0)}]`, A),
  once('a number that is none', `5x-["message",${hole(0)}]`, A),
  once('a number below zero', `5-1-["message",${hole(0)}]`, A),
  once('a number with a fraction', `51.5-["message",${hole(0)}]`, A),
  once('999999999 attachments', `5999999999-["message",${hole(0)}]`, A),
  differs(
    'no payload',
    ['51-', A],
    ['alive'],
    'the protocol wants a name in each event; the reference takes this one and does nothing',
  ),
  once('an object as payload', `51-{"a":${hole(0)}}`, A),
  wire('pings go in between', [begin('websocket'), join(), say(`51-["message",${hole(0)}]`), raw('3'), raw(A), alive()]),
  wire('a header and its attachments in several bodies', [
    begin('polling'),
    join(),
    say(`52-["message",${hole(0)},${hole(1)}]`),
    say(A),
    say(B),
    alive(),
  ]),
  wire('a header, the attachment and the next event in one body', [
    begin('polling'),
    join(),
    post(`451-["message",${hole(0)}]\x1ebAQID\x1e42["message",1]`),
    get(),
    alive(),
  ]),
  wire('a poll that waits gets a header and its attachment', [
    begin('polling'),
    join(),
    park(),
    post(`451-["message",${hole(0)}]\x1ebAQID`),
    fetched(),
    alive(),
  ]),
  wire('base64 in a text frame is an attachment', [
    begin('websocket'),
    join(),
    send(`451-["message",${hole(0)}]`, 'bAQID'),
    next(2),
    alive(),
  ]),
  wire('b64=1: attachments go out as base64 text', [
    begin('websocket', { query: '&b64=1' }),
    join(),
    send(`451-["message",${hole(0)}]`, 'bAQID'),
    alive(),
  ]),
  wire('an attachment for a namespace that was not joined', [
    begin('websocket'),
    join(),
    say(`51-/custom,["message",${hole(0)}]`, A),
    alive(),
  ]),
  wire('CONNECT while an attachment is missing', [
    begin('websocket'),
    join(),
    say(`51-["message",${hole(0)}]`),
    say('0/custom,'),
    frames('session'),
  ]),
];
