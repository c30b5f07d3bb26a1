// node tokens.mjs ALG KEY_FILE KID COUNT: tokens of user-0 and so on, one a line. ALG: HS256 (a secret), RS256 (a private key).
import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [alg, file, kid, count] = process.argv.slice(2);
const key = readFileSync(file);
const signers = {
  HS256: (text) => createHmac('sha256', key).update(text).digest('base64url'),
  RS256: (text) => sign('sha256', Buffer.from(text), createPrivateKey(key)).toString('base64url'),
};
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);

for (let i = 0; i < Number(count); i++) {
  const text = `${encode({ alg, typ: 'JWT', kid })}.${encode({ sub: `user-${i}`, iat: now, exp: now + 7200 })}`;
  console.log(`${text}.${signers[alg](text)}`);
}
