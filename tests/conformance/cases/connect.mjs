// Namespaces: joining, being refused, leaving, and what is not allowed before and after.

import { both, wire } from '../case.mjs';
import { alive, begin, frames, get, join, live, next, post, raw, say } from '../steps.mjs';

// A fresh session that has joined nothing.
const fresh = (name, ...packets) => both(name, (on) => [begin(on), ...packets.map((packet) => say(packet)), alive()]);
// One in `/`.
const joined = (name, ...packets) => both(name, (on) => [begin(on), join(), ...packets.map((packet) => say(packet)), alive()]);

const once = (name, ...packets) => wire(name, [begin('websocket'), ...packets.map((packet) => say(packet)), alive()]);

// One that the reference takes and ours does not.
const differs = (name, packets, reference, why) =>
  wire(name, [begin('websocket'), ...packets.map((packet) => say(packet)), alive()], {
    reference: [reference],
    ours: [['closed: 1005']],
    why,
  });

export const connect = [
  ...fresh('CONNECT to /', '0'),
  ...fresh('CONNECT with auth', '0{"token":"abc","deep":{"list":[1,null,"ż"]}}'),
  ...fresh('CONNECT to /custom', '0/custom,'),
  ...fresh('CONNECT to /custom with auth', '0/custom,{"token":"abc"}'),
  ...fresh('CONNECT to an unknown namespace', '0/unknown,'),
  once('CONNECT with empty auth', '0{}'),
  once('CONNECT with auth that needs escapes', '0{"a":"\\u0001\\n\\"\\\\","b":"\\ud83d\\ude00"}'),
  once('CONNECT with numbers in auth', '0{"a":1.5,"b":-0,"c":1e21,"d":123456789012345}'),
  once('CONNECT written with /', '0/,{"token":"abc"}'),
  once('the comma may be missing at the end', '0/custom'),
  once('an unknown namespace without a comma', '0/unknown'),
  once('an unknown namespace with auth', '0/unknown,{"token":"abc"}'),
  once('a query belongs to the name', '0/custom?token=abc,'),
  once('a name in capitals', '0/Custom,'),
  once('a name with a slash at the end', '0/custom/,'),
  once('a name beyond ASCII', '0/zażółć,'),
  once('a name of an object', '0/constructor,'),
  once('a name that needs escapes', '0/a"b,'),
  once('two namespaces at once', '0', '0/custom,'),
  wire('several CONNECTs in one body', [begin('polling'), say('0', '0/custom,'), alive()]),
  wire('an unknown namespace leaves the others alone', [
    begin('websocket'),
    join(),
    say('0/unknown,'),
    say('2["message",1]'),
    alive(),
  ]),
  wire('the answer to CONNECT by polling', [begin('polling'), post('40'), get(), post('40/custom,'), get()]),

  // what is no CONNECT
  once('CONNECT with an array', '0[]'),
  once('CONNECT with a string', '0"token"'),
  differs(
    'CONNECT with a number',
    ['0/,5'],
    ['40{"sid":"<sid>"}', '42["auth",{}]', 'alive'],
    'the number is an ack id, and only events and their answers have one',
  ),
  once('CONNECT with null', '0null'),
  once('CONNECT with broken JSON', '0{"token":'),
  once('CONNECT with something behind the JSON', '0{} x'),
  ...fresh('an event before CONNECT', '2["message",1]'),
  once('an acknowledgement before CONNECT', '30[]'),
  once('DISCONNECT before CONNECT', '1'),
  once('CONNECT_ERROR from a client', '4{"message":"no"}'),
  once('an empty packet', ''),
  once('packet type 7', '7'),
  once('a letter as packet type', 'a'),
  once('a namespace as packet type', '/custom,'),
  once('a binary before CONNECT', Buffer.from([1, 2, 3])),

  // in a namespace
  ...joined('a second CONNECT', '0'),
  ...joined('an event for a namespace that was not joined', '2/custom,["message",1]'),
  ...joined('an event for an unknown namespace', '2/unknown,["message",1]'),
  ...joined('an acknowledgement for a namespace that was not joined', '3/custom,0[]'),
  ...joined('DISCONNECT of a namespace that was not joined', '1/custom,'),
  ...joined('CONNECT_ERROR from a client in a namespace', '4{"message":"no"}'),
  wire('a second CONNECT to /custom', [begin('websocket'), join('/custom'), say('0/custom,'), alive()]),
  wire('events in /custom have no answer', [begin('websocket'), join('/custom'), say('2/custom,["message",1]'), alive()]),

  // leaving
  ...joined('DISCONNECT', '1'),
  ...joined('DISCONNECT and CONNECT again', '1', '0{"again":true}'),
  ...joined('an event after DISCONNECT', '1', '2["message",1]'),
  ...joined('DISCONNECT twice', '1', '1'),
  wire('DISCONNECT with a payload', [begin('websocket'), join(), say('1{}'), alive()]),
  wire('DISCONNECT written with /', [begin('websocket'), join(), say('1/,'), alive()]),
  wire('DISCONNECT of /custom leaves /', [
    begin('websocket'),
    join(),
    join('/custom'),
    say('1/custom,'),
    say('2["message",1]'),
    alive(),
  ]),
  wire('DISCONNECT of / leaves /custom', [begin('websocket'), join(), join('/custom'), say('1'), say('1/custom,'), alive()]),
  wire('DISCONNECT without a comma', [begin('websocket'), join('/custom'), say('1/custom'), say('0/custom,'), alive()]),

  // time to join
  ...both('a session that joins nothing is closed', (on) => [begin(on), live(4000)]),
  wire('a refused CONNECT does not count as joining', [begin('websocket'), say('0/unknown,'), live(4000)]),
  wire('a session that has left everything is closed in time', [begin('websocket'), join(), say('1'), live(2500)], {
    reference: [[]],
    ours: [['closed: 1005']],
    why: 'the reference measures the time to join only once, so that a client without a namespace can stay for ever',
  }),
  wire('a session that has left everything can be pinged before it is closed', [
    begin('websocket', { answerPings: false }),
    next(),
    raw('3'),
    join(),
    say('1'),
    frames('session'),
    next(),
  ]),
];
