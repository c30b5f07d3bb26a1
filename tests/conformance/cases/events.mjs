// Events and acknowledgements in JSON: what is answered, what is refused.

import { both, wire } from '../case.mjs';
import { alive, answer, begin, get, join, park, post, say } from '../steps.mjs';

const event = (name, ...packets) => both(name, (on) => [begin(on), join(), ...packets.map((packet) => say(packet)), alive()]);
const once = (name, ...packets) => wire(name, [begin('websocket'), join(), ...packets.map((packet) => say(packet)), alive()]);

// One that the reference takes and ours does not.
const differs = (name, packet, reference, why, ours = ['closed: 1005']) =>
  wire(name, [begin('websocket'), join(), say(packet), alive()], { reference: [reference], ours: [ours], why });

const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];

export const events = [
  ...event('message without arguments', '2["message"]'),
  ...event('message with arguments of all kinds', '2["message",1,"2",{"3":[true]},null,false,1.5,[]]'),
  ...event('message-with-ack', '20["message-with-ack",1,"2",{"3":[true]}]'),
  ...event('message-with-ack without arguments', '21["message-with-ack"]'),
  ...event('several events, in order', '2["message",1]', '2["message",2]', '2["message",3]'),
  ...event('an event that nobody listens to', '2["nobody",1]'),

  once('white space in JSON', '2[ "message" , { "a" : 1 } ]'),
  once('escapes in JSON', '2["message","\\u017c\\n\\t\\"\\\\\\/\\ud83d\\ude00"]'),
  once('an escaped name', '2["mess\\u0061ge",1]'),
  once('text beyond ASCII', '2["message","żółć €uro 😀"]'),
  once('a separator of payloads, escaped', '2["message","a\\u001eb"]'),
  differs(
    'NUL in a string',
    '2["message","a\\u0000b"]',
    ['42["message-back","a\\u0000b"]', 'alive'],
    'nothing that is stored or handed on can hold it, and it cuts texts short where it gets through: it becomes U+FFFD',
    ['42["message-back","a\uFFFDb"]', 'alive'],
  ),
  differs(
    'a lone surrogate',
    '2["message","\\ud800"]',
    ['42["message-back","\\ud800"]', 'alive'],
    'it is no character and has no UTF-8 that could be stored or handed on: it becomes U+FFFD',
    ['42["message-back","\uFFFD"]', 'alive'],
  ),
  once('numbers', '2["message",0,-1,1.25,1e3,1e-7,123456789012345,0.1]'),
  once('nesting', `2["message",${'['.repeat(15)}${']'.repeat(15)}]`),
  differs(
    'deep nesting',
    `2["message",${'['.repeat(20)}${']'.repeat(20)}]`,
    [`42["message-back",${'['.repeat(20)}${']'.repeat(20)}]`, 'alive'],
    'more than sixteen levels serve nobody but those who look for a parser that recurses',
  ),
  once('keys of objects', '2["message",{"":1,"constructor":2,"a b":3}]'),
  once('something like a placeholder', '2["message",{"_placeholder":false,"num":0}]'),
  once('a name of a number', '2[5,1]'),
  once('an empty name', '2["",1]'),
  once('a name of an object', '2["constructor",1]'),
  once('a large event', `2["message","${'x'.repeat(100_000)}"]`),
  once('an event written with /', '2/,["message",1]'),
  once('an ack written with /', '2/,7["message-with-ack",1]'),

  // ack ids
  once('ack id 0', '20["message-with-ack"]'),
  once('a large ack id', '21234567890["message-with-ack",1]'),
  once('an ack id with leading zeroes', '2007["message-with-ack",1]'),
  once('an ack id that nobody answers', '25["nobody",1]'),
  once('message with an ack id that nobody answers', '25["message",1]'),
  once('message-with-ack without an id', '2["message-with-ack",1]'),
  once('the same ack id twice', '23["message-with-ack",1]', '23["message-with-ack",2]'),
  wire('an ack id in /custom that nobody answers', [
    begin('websocket'),
    join('/custom'),
    say('2/custom,4["message-with-ack",1]'),
    alive(),
  ]),
  once('an answer to nothing', '30[]'),
  once('an answer to nothing, with arguments', '3999[1,2]'),
  differs('an answer without an id', '3[]', ['alive'], 'an answer that says not to what has been garbled'),
  once('an answer that is no array', '30{}'),
  once('an answer of a string', '30"x"'),

  // refused: the whole connection is closed
  ...event('an object as payload', '2{}'),
  once('a string as payload', '2"message"'),
  differs('a number as payload', '2/,5', ['alive'], 'the number is an ack id, so the event has no payload'),
  once('null as payload', '2null'),
  once('an empty array', '2[]'),
  once('a name of null', '2[null]'),
  once('a name of an object literal', '2[{}]'),
  once('a name of an array', '2[[]]'),
  once('a name of true', '2[true]'),
  once('broken JSON', '2["message"'),
  once('broken JSON in an argument', '2["message",{"a":}]'),
  once('something behind the JSON', '2["message"]x'),
  once('an ack id that is negative', '2-1["message-with-ack"]'),
  once('an ack id with a dot', '21.5["message-with-ack"]'),
  once('an unclosed string', '2["mess'),
  once('JSON with a comment', '2["message"/*x*/]'),
  once('JSON with a comma too many', '2["message",]'),
  once('NaN', '2["message",NaN]'),
  once('a raw control character in a string', '2["message","a\nb"]'),
  ...RESERVED.flatMap((name) => once(`the reserved name ${name}`, `2["${name}",1]`)),
  once('a reserved name in other capitals', '2["Connect",1]'),
  once('events before the bad one are answered', '2["message",1]', '2{}'),
  ...both(
    'an event without a payload',
    (on) => [begin(on), join(), say('2'), alive()],
    (on) => ({
      reference: [['alive']],
      ours: [[on === 'polling' ? 'closed: 1' : 'closed: 1005']],
      why: 'the protocol wants a name in each event; the reference takes this one and does nothing',
    }),
  ),

  // on polling
  wire('the answers to a body are there before it is accepted', [
    begin('polling'),
    join(),
    post('42["message",1]\x1e42["message",2]\x1e423["message-with-ack",3]'),
    get(),
  ]),
  wire('a poll that waits gets the answer', [begin('polling'), join(), park(), post('42["message",1]'), answer()]),
];
