/**
 * A random id, also where a page is not secure and has no crypto.randomUUID, and where there is no crypto at all, as in
 * React Native and Node.js 18: it has to be unlike any other, not hard to guess.
 */
export function randomId(): string {
  const bytes = new Uint8Array(16);
  const source = (globalThis as { crypto?: Crypto }).crypto;
  if (source) source.getRandomValues(bytes);
  else bytes.forEach((_, i) => (bytes[i] = Math.floor(Math.random() * 256)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
