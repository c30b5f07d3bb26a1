// Attacks on tokens: whatever is wrong with one, it is refused by its code, at CONNECT and at auth:refresh, and the
// connection and the edge live on. What only the verifier sees (bits, caches, threads) is in unit/token.

import assert from 'node:assert/strict';
import { constants, createHmac, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { until, useStack } from './harness.mjs';
import { RawSocket } from './raw.mjs';

const ISSUER = 'https://wallet.test';
const AUDIENCE = 'walletwire';
const DAY_S = 86_400;

// By kid.
const SECRETS = Object.fromEntries(['other', 'old', 'new', 'moved'].map((kid) => [kid, randomBytes(48)]));
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const RSA2 = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ATTACKER = generateKeyPairSync('rsa', { modulusLength: 2048 });
const P256_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });
const der = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' });

const stack = useStack(
  { edges: 1, env: { WW_TOKEN_ISSUER: ISSUER, WW_TOKEN_AUDIENCE: AUDIENCE, WW_SESSION_RATE: '1000', WW_SESSION_BURST: '1000' } },
  async () => {
    for (const [kid, secret] of Object.entries(SECRETS)) writeKey(`${kid}.hs256`, secret);
    writeKey('rsa.rs256.pem', pem(RSA));
    writeKey('rsa2.rs256.pem', pem(RSA2));
    writeKey('ec.es256.pem', pem(EC));
    const good = () => [rs256(), es256(), ...Object.keys(SECRETS).map((kid) => hs256({ kid }))];
    await until('every key is known', async () => (await Promise.all(good().map(verdict))).every((code) => code === 'in'));
    await listen();
  },
);

/* ---- a server that a token would like us to ask for its key ---- */

let asked = 0;
const keyServer = http.createServer((_, res) => {
  asked++;
  res.end(JSON.stringify({ keys: [{ ...ATTACKER.publicKey.export({ format: 'jwk' }), kid: 'rsa' }] }));
});
const listen = () => new Promise((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
const keyServerUrl = () => `http://127.0.0.1:${keyServer.address().port}/jwks.json`;

/* ---- tokens, made part by part ---- */

function writeKey(file, content) {
  const path = join(stack.dir, 'keys', file);
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ sub: 'alice', iss: ISSUER, aud: AUDIENCE, iat: now(), exp: now() + 3600, jti: randomUUID(), ...more });
const without = (...names) => Object.fromEntries(Object.entries(claims()).filter(([name]) => !names.includes(name)));
// JSON text whose value no object of ours can hold: raw('exp', '1e400').
const raw = (name, text, base = without(name)) => `${JSON.stringify(base).slice(0, -1)},${JSON.stringify(name)}:${text}}`;

const base64url = (part) => Buffer.from(part).toString('base64url');
const json = (part) => (typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part));
const input = (header, payload) => `${base64url(json(header))}.${base64url(json(payload))}`;
const signed = (text, signature) => `${text}.${base64url(signature)}`;
const hmac = (text, key, hash = 'sha256') => createHmac(hash, key).update(text).digest();

function hs256({ kid = 'other', key = SECRETS[kid], header = {}, payload = claims(), hash } = {}) {
  const head = typeof header === 'string' ? header : { alg: 'HS256', typ: 'JWT', kid, ...header };
  const text = input(head, payload);
  return signed(text, hmac(text, key, hash));
}

function rs256({ pair = RSA, header = {}, payload = claims(), hash = 'sha256', ...padding } = {}) {
  const text = input({ alg: 'RS256', typ: 'JWT', kid: 'rsa', ...header }, payload);
  return signed(text, sign(hash, Buffer.from(text), { key: pair.privateKey, ...padding }));
}

function es256({ pair = EC, dsaEncoding = 'ieee-p1363', header = {}, payload = claims(), make = (raw) => raw } = {}) {
  const text = input({ alg: 'ES256', typ: 'JWT', kid: 'ec', ...header }, payload);
  return signed(text, make(sign('sha256', Buffer.from(text), { key: pair.privateKey, dsaEncoding })));
}

// The same token with another signature, given its bytes.
function resigned(token, change) {
  const at = token.lastIndexOf('.');
  return signed(token.slice(0, at), change(Buffer.from(token.slice(at + 1), 'base64url')));
}

// The next character: the same bytes for a reader that ignores unused bits, since 43 characters have two of them.
function otherTail(text) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + digits[digits.indexOf(text.at(-1)) + 1];
}

const half = (raw, n) => raw.subarray(n * 32, n * 32 + 32);
const ZERO = Buffer.alloc(32);
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

/* ---- how the edge answers ---- */

const answerTo = (socket, seen) => socket.waitText((text) => socket.texts.indexOf(text) >= seen && /^4[04]/.test(text));

async function tryConnect(socket, auth, namespace = '') {
  const seen = socket.texts.length;
  socket.sendText(`40${namespace}${auth}`);
  const text = await answerTo(socket, seen);
  return text.startsWith('40') ? 'in' : JSON.parse(text.slice(text.indexOf('{'))).data.code;
}

// In one try on a connection of its own: 'in', or the code; 'closed' if it ended at that moment.
async function verdict(token) {
  const socket = await RawSocket.upgrade(stack.edge(0).http);
  try {
    return await tryConnect(socket, JSON.stringify({ token }));
  } catch (error) {
    if (socket.isEnded) return 'closed';
    throw error;
  } finally {
    socket.close();
  }
}

async function refresh(socket, token) {
  socket.sendText(`421${JSON.stringify(['auth:refresh', { token }])}`);
  const text = await socket.waitText((line) => line.startsWith('431'));
  return JSON.parse(text.slice(3))[0];
}

// The attack is refused; the same connection is then let in with a good token, which the attack can't replace.
async function refusedAs(code, attack) {
  const { token, auth = JSON.stringify({ token }), namespace = '', ...how } = typeof attack === 'string' ? { token: attack } : attack;
  const socket = await RawSocket.upgrade(stack.edge(0).http, how);
  try {
    assert.equal(await tryConnect(socket, auth, namespace), code);
    if (how.query) return;
    assert.equal(await tryConnect(socket, JSON.stringify({ token: hs256() })), 'in');
    if (token === undefined || namespace) return;
    const { ok, error } = await refresh(socket, token);
    assert.equal(ok, false);
    assert.ok(['unauthorized', 'invalid'].includes(error.code), error.code);
  } finally {
    socket.close();
  }
}

/* ---- the table ---- */

const algorithm = (alg) => hs256({ header: { alg } });
const headed = (header) => rs256({ pair: ATTACKER, header });
const claiming = (more) => hs256({ payload: claims(more) });
const exp = (text) => hs256({ payload: raw('exp', text) });

// prettier-ignore
const ATTACKS = [
  // Whose algorithm counts
  ['token_algorithm', 'HS256 with the public key (PEM) of an RS256 key as secret', () => hs256({ kid: 'rsa', key: pem(RSA) })],
  ['token_algorithm', 'the same with the key as DER', () => hs256({ kid: 'rsa', key: der(RSA) })],
  ['token_algorithm', 'the same without the last line break', () => hs256({ kid: 'rsa', key: pem(RSA).trim() })],
  ['token_algorithm', 'HS256 with the public key of an ES256 key', () => hs256({ kid: 'ec', key: pem(EC) })],
  ['token_algorithm', 'RS256 for a secret', () => rs256({ header: { kid: 'other' } })],
  ['token_algorithm', 'ES256 for a secret', () => es256({ header: { kid: 'other' } })],
  ['token_algorithm', 'ES256 for an RS256 key', () => es256({ header: { kid: 'rsa' } })],
  ['token_algorithm', 'RS256 for an ES256 key', () => rs256({ header: { kid: 'ec' } })],
  ['token_algorithm', 'PS256 for an RS256 key', () => rs256({ header: { alg: 'PS256' }, padding: constants.RSA_PKCS1_PSS_PADDING })],
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ''].flatMap((alg) => [
    ['token_algorithm', `alg "${alg}" without a signature`, () => `${input({ alg, kid: 'other' }, claims())}.`],
    ['token_algorithm', `alg "${alg}" with one`, () => algorithm(alg)],
  ]),
  ...['hs256', 'HS256 ', 'HS384', 'EdDSA', 'dir', 'HS256,none'].map((alg) => ['token_algorithm', `alg "${alg}"`, () => algorithm(alg)]),
  ['token_algorithm', 'HS512, and true to it', () => hs256({ header: { alg: 'HS512' }, hash: 'sha512' })],
  ['token_malformed', 'no alg', () => algorithm(undefined)],
  ['token_malformed', 'alg null', () => algorithm(null)],
  ['token_malformed', 'a list of algs', () => algorithm(['HS256', 'none'])],
  ['token_malformed', 'alg with a NUL', () => algorithm('HS256\0')],

  // Which key
  ['token_signature', 'an empty key', () => hs256({ key: '' })],
  ['token_signature', 'a key of one zero', () => hs256({ key: Buffer.alloc(1) })],
  ['token_signature', 'a word that is often a key', () => hs256({ key: 'secret' })],
  ['token_signature', 'the kid as key', () => hs256({ key: 'other' })],
  ['token_signature', 'the secret of another kid', () => hs256({ key: SECRETS.old })],
  ['token_signature', 'the key pair of another kid', () => rs256({ pair: RSA2 })],
  ['token_key', 'no kid', () => hs256({ header: { kid: undefined } })],
  ['token_key', 'an empty kid', () => hs256({ header: { kid: '' } })],
  ['token_key', 'a kid that nobody knows', () => hs256({ header: { kid: 'stranger' } })],
  ['token_key', 'a kid in capitals', () => hs256({ header: { kid: 'OTHER' } })],
  ...['../keys/other', './other', 'other.hs256', '../../../../dev/null', '/dev/null', '.', '..', 'other;id', "x' OR '1'='1", 'other\n', '*', 'k'.repeat(2000)].map((kid) => [
    'token_key', `kid ${JSON.stringify(kid.slice(0, 24))}`, () => hs256({ header: { kid } }),
  ]),
  ['token_key', 'kid /dev/null and what it holds as key', () => hs256({ key: '', header: { kid: '/dev/null' } })],
  ['token_malformed', 'a kid with a NUL', () => hs256({ header: { kid: 'other\0.pem' } })],
  ['token_malformed', 'a number as kid', () => hs256({ header: { kid: 7 } })],
  ['token_malformed', 'a list of kids', () => hs256({ header: { kid: ['other'] } })],

  // What else a header says
  ['token_signature', 'jwk: its own key, with a kid of ours', () => headed({ jwk: ATTACKER.publicKey.export({ format: 'jwk' }) })],
  ['token_key', 'jwk: its own key, without a kid', () => headed({ kid: undefined, jwk: ATTACKER.publicKey.export({ format: 'jwk' }) })],
  ['token_signature', 'jku: where its key is', () => headed({ jku: keyServerUrl() })],
  ['token_signature', 'x5u: where its certificate is', () => headed({ x5u: keyServerUrl() })],
  ['token_signature', 'x5c: its own certificate', () => headed({ x5c: [der(ATTACKER).toString('base64')] })],
  ['token_key', 'a URL as kid', () => headed({ kid: keyServerUrl() })],
  ['token_malformed', 'crit', () => hs256({ header: { crit: ['exp'] } })],
  ['token_malformed', 'an empty crit', () => hs256({ header: { crit: [] } })],
  ['token_malformed', 'b64: false (RFC 7797)', () => hs256({ header: { b64: false, crit: ['b64'] } })],
  ['token_malformed', 'a logout token', () => hs256({ header: { typ: 'logout+jwt' } })],
  ['token_malformed', 'an ID token of an issuer that tells them apart', () => rs256({ header: { typ: 'id+jwt' } })],
  ['token_malformed', 'typ is no text', () => hs256({ header: { typ: ['JWT'] } })],
  ['token_malformed', 'alg twice', () => hs256({ header: '{"alg":"none","alg":"HS256","kid":"other"}' })],
  ['token_malformed', 'kid twice', () => hs256({ header: '{"alg":"HS256","kid":"old","kid":"other"}' })],
  ['token_malformed', 'alg twice, once with an escape', () => hs256({ header: '{"alg":"none","\\u0061lg":"HS256","kid":"other"}' })],
  ['token_malformed', 'a header 17 deep', () => hs256({ header: `{"alg":"HS256","kid":"other","x":${nested(16)}}` })],
  ['token_malformed', 'a header as deep as it can be', () => hs256({ header: `{"alg":"HS256","kid":"other","x":${nested(800)}}` })],
  ['token_malformed', 'a header that is a list', () => hs256({ header: '["HS256","other"]' })],
  ['token_malformed', 'a header with a byte order mark', () => hs256({ header: '\ufeff{"alg":"HS256","kid":"other"}' })],
  ['token_malformed', 'a header and something behind it', () => hs256({ header: '{"alg":"HS256","kid":"other"}{"alg":"none"}' })],
  ['token_malformed', 'a header in UTF-16', () => hs256({ header: '', payload: claims() }).replace(/^/, base64url(Buffer.from('{"alg":"HS256","kid":"other"}', 'utf16le')))],

  // Claims
  ['token_malformed', 'sub twice', () => hs256({ payload: raw('sub', '"bob"', claims()) })],
  ['token_malformed', 'exp twice', () => hs256({ payload: raw('exp', String(now() + 60), claims()) })],
  ['token_malformed', 'a claim nobody reads, twice', () => hs256({ payload: raw('x', '1', claims({ x: 2 })) })],
  ...[['a string', '"9999999999"'], ['a float', '9999999999.5'], ['a float that is whole', '1.0e9'], ['negative', '-1'], ['of more than 64 bits', '9223372036854775808'], ['infinite', '1e400'],
    ['after the year 9999', '253402300800'], ['null', 'null'], ['true', 'true'], ['a list', '[9999999999]'], ['octal', '017777777777'], ['NaN', 'NaN']].map(([what, text]) => [
    'token_malformed', `exp is ${what}`, () => exp(text),
  ]),
  ['token_malformed', 'no exp', () => hs256({ payload: without('exp') })],
  ['token_malformed', 'no iat', () => hs256({ payload: without('iat') })],
  ['token_malformed', 'iat is a string', () => claiming({ iat: String(now()) })],
  ['token_malformed', 'nbf is a string', () => claiming({ nbf: String(now()) })],
  ['token_malformed', 'a life of a day and a second', () => claiming({ exp: now() + DAY_S + 1, iat: now() })],
  ['token_malformed', 'a life of ten years', () => claiming({ exp: now() + 3650 * DAY_S })],
  ['token_malformed', 'exp before iat', () => claiming({ iat: now() + 100, exp: now() + 50 })],
  ['token_not_yet', 'iat in the future, to live longer', () => claiming({ iat: now() + DAY_S, exp: now() + 2 * DAY_S })],
  ['token_not_yet', 'nbf in the future', () => claiming({ nbf: now() + 60 })],
  ['token_expired', 'expired a minute ago', () => claiming({ iat: now() - 3600, exp: now() - 60 })],
  ['token_expired', 'expired in 1970', () => claiming({ iat: 0, exp: 1 })],
  ['token_malformed', 'no sub', () => hs256({ payload: without('sub') })],
  ...['', 7, null, true, ['alice'], { id: 'alice' }, 's'.repeat(129), 'alice\0', 'ali\u202ece', '\u0007'].map((sub) => [
    'token_malformed', `sub is ${JSON.stringify(sub).slice(0, 24)}`, () => claiming({ sub }),
  ]),
  ['token_malformed', 'sub holds half a surrogate pair', () => hs256({ payload: raw('sub', '"\\ud83d"') })],
  ['token_malformed', 'sub is no UTF-8', () => hs256({ payload: Buffer.from(raw('sub', '"\xff\xfe"'), 'latin1') })],
  ['token_malformed', 'jti is a number', () => claiming({ jti: 7 })],
  ['token_malformed', 'a list of roles', () => claiming({ role: ['ops'] })],
  ['token_role', 'a role that is not that of /ops', () => ({ namespace: '/ops,', token: claiming({ role: 'ops2' }) })],
  ['token_role', 'a user without a role at /ops', () => ({ namespace: '/ops,', token: hs256() })],
  ['token_issuer', 'another issuer', () => claiming({ iss: 'https://evil.test' })],
  ['token_issuer', 'our issuer and more', () => claiming({ iss: `${ISSUER}.evil.test` })],
  ['token_issuer', 'our issuer in capitals', () => claiming({ iss: ISSUER.toUpperCase() })],
  ['token_issuer', 'no issuer', () => hs256({ payload: without('iss') })],
  ['token_malformed', 'a list of issuers', () => claiming({ iss: [ISSUER] })],
  ['token_audience', 'another audience', () => claiming({ aud: 'bank' })],
  ['token_audience', 'no audience', () => hs256({ payload: without('aud') })],
  ['token_audience', 'a list of other audiences', () => claiming({ aud: ['bank', `${AUDIENCE}2`] })],
  ['token_audience', 'an empty list of audiences', () => claiming({ aud: [] })],
  ['token_malformed', 'our audience in a list in a list', () => claiming({ aud: [[AUDIENCE]] })],
  ['token_malformed', 'our audience beside a number', () => claiming({ aud: [AUDIENCE, 7] })],
  ['token_malformed', 'audience is an object', () => claiming({ aud: { [AUDIENCE]: true } })],
  ['token_malformed', 'a token in a token', () => hs256({ header: { cty: 'JWT' }, payload: hs256() })],
  ['token_malformed', 'claims 17 deep', () => hs256({ payload: raw('x', nested(16), claims()) })],
  ['token_malformed', 'claims that are a list', () => hs256({ payload: '[]' })],

  // Text and parts
  ['token_malformed', 'padded', () => `${hs256()}=`],
  ['token_malformed', 'a padded header', () => hs256().replace('.', '=.')],
  ['token_malformed', 'unused bits in the signature', () => otherTail(hs256())],
  ['token_malformed', 'a lone last character', () => `${hs256()}AA`],
  ['token_malformed', 'base64 that is not for URLs', () => resigned(hs256(), () => Buffer.alloc(32, 0xfb)).replaceAll('-', '+')],
  ...[['a space before', (t) => ` ${t}`], ['a line break behind', (t) => `${t}\n`], ['a tab within', (t) => t.replace('.', '.\t')], ['a NUL behind', (t) => `${t}\0`], ['a zero width space', (t) => t.replace('.', '.\u200b')],
    ['a full stop of another script', (t) => t.replace('.', '\uff0e')], ['a letter of another script', (t) => t.replace('e', '\u0435')], ['percent escapes', (t) => t.replace('.', '%2E')],
    ['Bearer in front', (t) => `Bearer ${t}`], ['quotes around', (t) => `"${t}"`], ['two parts', (t) => t.split('.').slice(0, 2).join('.')], ['four parts', (t) => `${t}.AAAA`],
    ['five parts, as JWE has', (t) => `${t}.AAAA.AAAA`], ['a dot behind', (t) => `${t}.`], ['a detached payload', (t) => t.replace(/\..*\./, '..')], ['no header', (t) => t.slice(t.indexOf('.'))],
    ['two tokens', (t) => `${t},${t}`], ['a JSON serialization (RFC 7515)', (t) => JSON.stringify({ protected: t.split('.')[0], payload: t.split('.')[1], signature: t.split('.')[2] })]].map(([what, change]) => [
    'token_malformed', what, () => change(hs256()),
  ]),
  ['token_malformed', 'a byte more than 4 KiB', () => { const token = hs256(); return token + 'A'.repeat(4097 - token.length); }],
  ['token_malformed', 'a header of 50 KB', () => hs256({ header: { x: 'x'.repeat(36_000) } })],
  ['token_malformed', 'claims of 50 KB', () => claiming({ x: 'x'.repeat(36_000) })],
  ['token_malformed', 'a signature of 50 KB', () => resigned(hs256(), () => Buffer.alloc(36_000))],
  ['token_malformed', 'nothing but dots', () => '.'.repeat(4000)],

  // Signatures
  ['token_signature', 'no signature', () => resigned(hs256(), () => '')],
  ['token_signature', 'the signature of another token', () => resigned(hs256(), () => Buffer.from(hs256().split('.')[2], 'base64url'))],
  ['token_signature', 'half a signature', () => resigned(hs256(), (mac) => mac.subarray(0, 16))],
  ['token_signature', 'a byte less', () => resigned(hs256(), (mac) => mac.subarray(0, 31))],
  ['token_signature', 'a byte more', () => resigned(hs256(), (mac) => Buffer.concat([mac, Buffer.alloc(1)]))],
  ['token_signature', 'a signature of zeros', () => resigned(hs256(), () => ZERO)],
  ['token_signature', 'the claims changed', () => hs256().replace(/\.(.*)\./, `.${base64url(JSON.stringify(claims({ sub: 'bob' })))}.`)],
  ['token_signature', 'SHA-512 cut to 32 bytes', () => resigned(hs256({ hash: 'sha512' }), (mac) => mac.subarray(0, 32))],
  ['token_signature', 'RSA with SHA-1', () => rs256({ hash: 'sha1' })],
  ['token_signature', 'RSA with SHA-512', () => rs256({ hash: 'sha512' })],
  ['token_signature', 'RSA-PSS, named RS256', () => rs256({ padding: constants.RSA_PKCS1_PSS_PADDING })],
  ['token_signature', 'RSA: a byte less', () => resigned(rs256(), (raw) => raw.subarray(1))],
  ['token_signature', 'RSA: a zero in front', () => resigned(rs256(), (raw) => Buffer.concat([Buffer.alloc(1), raw]))],
  ['token_signature', 'RSA: zero', () => resigned(rs256(), (raw) => Buffer.alloc(raw.length))],
  ['token_signature', 'RSA: one', () => resigned(rs256(), (raw) => Buffer.concat([Buffer.alloc(raw.length - 1), Buffer.from([1])]))],
  ['token_signature', 'ES256 in DER', () => es256({ dsaEncoding: 'der' })],
  ['token_signature', 'ES256: r and s are 0', () => es256({ make: () => Buffer.alloc(64) })],
  ['token_signature', 'ES256: r is 0', () => es256({ make: (raw) => Buffer.concat([ZERO, half(raw, 1)]) })],
  ['token_signature', 'ES256: s is 0', () => es256({ make: (raw) => Buffer.concat([half(raw, 0), ZERO]) })],
  ['token_signature', 'ES256: r and s are the order of the curve', () => es256({ make: () => Buffer.concat([P256_ORDER, P256_ORDER]) })],
  ['token_signature', 'ES256: r and s exchanged', () => es256({ make: (raw) => Buffer.concat([half(raw, 1), half(raw, 0)]) })],
  ['token_signature', 'ES256: a byte less', () => es256({ make: (raw) => raw.subarray(0, 63) })],
  ['token_signature', 'ES256: a byte more', () => es256({ make: (raw) => Buffer.concat([raw, Buffer.alloc(1)]) })],
  ['token_signature', 'ES256: another curve', () => es256({ pair: generateKeyPairSync('ec', { namedCurve: 'P-384' }) })],
  ['token_signature', 'ES256: another key', () => es256({ pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) })],

  // Where a token is
  ['token_missing', 'no token', () => ({ auth: '{}' })],
  ['token_missing', 'nothing', () => ({ auth: '' })],
  ['token_missing', 'an empty token', () => ({ auth: '{"token":""}' })],
  ['token_missing', 'another name', () => ({ auth: JSON.stringify({ Token: hs256(), access_token: hs256() }) })],
  ['token_missing', 'in the Authorization header alone', () => ({ auth: '{}', headers: [`Authorization: Bearer ${hs256()}`] })],
  ['token_missing', 'in a cookie alone', () => ({ auth: '{}', headers: [`Cookie: token=${hs256()}`] })],
  ...['7', 'true', 'null', '{}'].map((text) => ['token_malformed', `token is ${text}`, () => ({ auth: `{"token":${text}}` })]),
  ['token_malformed', 'a list of a good token', () => ({ auth: JSON.stringify({ token: [hs256()] }) })],
  ['token_in_query', 'in the query too', () => ({ token: hs256(), query: `EIO=4&transport=websocket&token=${hs256()}` })],
  ['token_in_query', 'in the query alone', () => ({ auth: '{}', query: `token=${hs256()}&EIO=4&transport=websocket` })],
  ['token_in_query', 'in the query, escaped', () => ({ token: hs256(), query: `EIO=4&transport=websocket&%74oken=${hs256()}` })],
];

for (const [code, what, attack] of ATTACKS) stack.test(`${code}: ${what}`, () => refusedAs(code, attack()));

/* ---- tokens that were good a moment ago, and are remembered ---- */

const LATER = [
  ['token_expired', 'it expired', () => claiming({ exp: now() + 2 }), () => {}],
  ['token_revoked', 'it was revoked', () => claiming({ jti: 'stolen' }), () => revoke('--token', 'stolen')],
  ['token_revoked', 'its user was revoked', () => claiming({ sub: 'mal.lory' }), () => revoke('--user', 'mal.lory')],
  ['token_key', 'its key was withdrawn', () => hs256({ kid: 'old' }), () => rmSync(join(stack.dir, 'keys', 'old.hs256'))],
  ['token_signature', 'its key was replaced', () => hs256({ kid: 'new' }), () => writeKey('new.hs256', randomBytes(48))],
  ['token_algorithm', 'its kid became a key of another algorithm', () => hs256({ kid: 'moved' }), moveKey],
];

async function revoke(...args) {
  const { code, stderr } = await stack.ww(['revoke', ...args, '--reason', 'attack']);
  assert.equal(code, 0, stderr);
}

function moveKey() {
  rmSync(join(stack.dir, 'keys', 'moved.hs256'));
  writeKey('moved.rs256.pem', pem(RSA2));
}

for (const [code, what, make, end] of LATER) {
  stack.test(`${code}: good until ${what}`, async () => {
    const token = make();
    assert.equal(await verdict(token), 'in');
    assert.equal(await verdict(token), 'in', 'from memory');
    await end();
    await until('it is refused', async () => !['in', 'closed'].includes(await verdict(token)));
    await refusedAs(code, token);
  });
}

stack.test('a revocation is of that token and that user alone', async () => {
  const others = ['mal=2Elory', 'mal.lory.', 'mal', 'MAL.LORY', 'mal.*', '>'].map((sub) => claiming({ sub }));
  for (const token of [...others, claiming({ jti: 'stolen2' }), claiming({ jti: 'STOLEN' })]) assert.equal(await verdict(token), 'in');
});

stack.test('a second token in one CONNECT packet is never the one that counts', async () => {
  const socket = await RawSocket.upgrade(stack.edge(0).http);
  socket.sendText(`40{"token":${JSON.stringify(hs256())},"token":"nonsense"}`);
  await socket.ended();
  assert.ok(!socket.texts.some((text) => text.startsWith('40')), 'nobody was let in');
});

stack.test('after all that good tokens are let in by the same edge, every attack was counted, and nobody was asked for a key', async (t) => {
  for (const token of [hs256(), rs256(), es256(), rs256({ header: { typ: 'at+jwt' } }), claiming({ aud: ['bank', AUDIENCE] }), claiming({ exp: now() + DAY_S, iat: now() })]) {
    assert.equal(await verdict(token), 'in');
  }
  const count = ATTACKS.length + LATER.length;
  const refused = await stack.metric(stack.edge(0).admin, 'ww_edge_connect_refusals_total');
  assert.ok(refused >= count, `${refused} of ${count} were counted`);
  assert.ok(count >= 40);
  assert.equal(asked, 0);
  keyServer.close();
  t.diagnostic(`${count} attacks on tokens were tried`);
});
