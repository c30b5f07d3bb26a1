// The headers that let a page of another origin read the answers, with the origin `*`.

import { wire } from '../case.mjs';
import { alive, begin, ENGINE, get, open, post, request, ws } from '../steps.mjs';

const ORIGIN = { Origin: 'https://shop.example' };
const VARY = { look: ['vary'] };
const POLLING = `${ENGINE}?EIO=4&transport=polling`;
const ASKING = {
  ...ORIGIN,
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'content-type,x-token',
};

export const cors = [
  wire('a handshake with an origin', [open(ENGINE, { headers: ORIGIN, ...VARY })]),
  wire('a handshake without one', [open(ENGINE, VARY)]),
  wire('the origin null', [open(ENGINE, { headers: { Origin: 'null' } })]),
  wire('an origin that is no URL', [open(ENGINE, { headers: { Origin: 'not an origin' } })]),
  wire('errors carry the headers too', [
    request('GET', `${ENGINE}?EIO=4&transport=x`, { headers: ORIGIN }),
    request('GET', `${POLLING}&sid=AAAA`, { headers: ORIGIN }),
    request('GET', `${ENGINE}?EIO=3&transport=polling`, { headers: ORIGIN }),
    request('POST', POLLING, { headers: ORIGIN, body: '' }),
  ]),
  wire('polls and posts carry them', [begin('polling', { base: ENGINE }), post('4x', { headers: ORIGIN }), get()]),
  wire('a preflight', [request('OPTIONS', POLLING, { headers: ASKING, look: ['vary', 'content-length'] })]),
  wire('a preflight that asks for no headers', [
    request('OPTIONS', POLLING, {
      headers: { ...ORIGIN, 'Access-Control-Request-Method': 'GET' },
      look: ['vary', 'content-length'],
    }),
  ]),
  wire('OPTIONS without an origin', [request('OPTIONS', POLLING, { look: ['vary', 'content-length'] })]),
  wire('a preflight is answered before anything is checked', [
    request('OPTIONS', `${ENGINE}?EIO=3&transport=x&sid=AAAA`, { headers: ASKING }),
    request('OPTIONS', ENGINE, { headers: ASKING }),
  ]),
  wire('a preflight does nothing to its session', [
    begin('polling', { base: ENGINE }),
    request('OPTIONS', `${POLLING}&sid={sid}`, { headers: ASKING }),
    alive(),
  ]),
  wire('a WebSocket handshake with an origin', [ws(`${ENGINE}?EIO=4&transport=websocket`, { headers: ORIGIN, view: VARY })]),
  wire('a refused WebSocket handshake with an origin', [ws(`${ENGINE}?EIO=4&transport=x`, { headers: ORIGIN })]),
];
