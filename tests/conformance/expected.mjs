// Answers that the tables have to spell out.

const CORS = { 'access-control-allow-origin': '*' };
const CODES = [
  'Transport unknown',
  'Session ID unknown',
  'Bad handshake method',
  'Bad request',
  'Forbidden',
  'Unsupported protocol version',
];

const answer = (status, type, body) => ({ status, ...CORS, 'content-type': type, body });

export const polled = (body) => answer(200, 'text/plain; charset=UTF-8', body);
export const accepted = answer(200, 'text/html', 'ok');
export const refused = (code) =>
  answer(code === 4 ? 403 : 400, 'application/json', JSON.stringify({ code, message: CODES[code] }));

// A WebSocket handshake that is answered 400, with the text alone.
export const notUpgraded = (code) => ({ status: 400, 'content-type': 'text/html', body: CODES[code] });

export const OPEN_POLLING = '0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}';
