import { LookalikeError } from './errors.ts';

const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f]/;

/** The rules of `ObjectStore` keys, the same for every store; throws `invalid-key`. */
export function checkKey(key: string): void {
  const problem = keyProblem(key);
  if (problem !== undefined)
    throw new LookalikeError('invalid-key', `key ${quote(key)} ${problem}`, { details: { key: quote(key) } });
}

/** As `checkKey`, for a prefix: empty, or the beginning of a valid key. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  const whole = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  const parts = whole.split('/');
  const last = parts.pop() ?? '';
  // `a/.` is the beginning of `a/.b`, so the last part may still grow into a valid one.
  const grown = prefix.endsWith('/') ? last : `${last}x`;
  const problem = keyProblem([...parts, grown].join('/'));
  if (problem !== undefined) throw new LookalikeError('invalid-key', `prefix ${quote(prefix)} ${problem}`);
}

function keyProblem(key: string): string | undefined {
  if (typeof key !== 'string') return 'is not a string';
  if (key === '') return 'is empty';
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  if (encoder.encode(key).length > 1024) return 'is longer than 1024 bytes';
  if (control.test(key)) return 'contains a control character';
  for (const part of key.split('/')) {
    if (part === '') return "has an empty part ('/' at an end, or twice)";
    if (part === '.' || part === '..') return `has a '${part}' part`;
    if (part.length > 63 && encoder.encode(part).length > 255) return 'has a part longer than 255 bytes';
  }
  return undefined;
}

function quote(key: string): string {
  const text = String(key);
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** Ascending UTF-8 byte order (JavaScript's own `<` is UTF-16 order, which differs above U+FFFF). */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above every other unit.
    if (x >= 0xd800) x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
    if (y >= 0xd800) y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    return x - y;
  }
  return a.length - b.length;
}
