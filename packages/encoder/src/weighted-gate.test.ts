import { expect, test } from 'vitest';
import { WeightedGate } from './weighted-gate.ts';

/** Work that ends when told to, and a record of what has begun. */
function staged(gate: WeightedGate) {
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const start = (name: string, weight: number, signal?: AbortSignal) =>
    gate.run(
      weight,
      () => {
        begun.push(name);
        return new Promise<string>((resolve) => finish.set(name, () => resolve(name)));
      },
      signal,
    );
  const end = async (name: string) => {
    finish.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, start, end };
}

test('lets in what fits, in order, and the next when there is room', async () => {
  const { begun, start, end } = staged(new WeightedGate(10));
  const all = [start('a', 6), start('b', 4), start('c', 6), start('d', 1)];
  await end('none');
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  // d would fit, but c came first: nothing heavy waits for ever behind a stream of light work.
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  await end('c');
  await end('d');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
});

test('what is heavier than the gate goes alone', async () => {
  const { begun, start, end } = staged(new WeightedGate(10));
  const all = [start('heavy', 99), start('light', 1)];
  await end('none');
  expect(begun).toEqual(['heavy']);
  await end('heavy');
  expect(begun).toEqual(['heavy', 'light']);
  await end('light');
  await Promise.all(all);
});

test('failed work leaves the gate', async () => {
  const gate = new WeightedGate(1);
  await expect(gate.run(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await expect(gate.run(1, async () => 'next')).resolves.toBe('next');
});

test('an abort removes who waits, and lets those behind through', async () => {
  const { begun, start, end } = staged(new WeightedGate(10));
  const controller = new AbortController();
  const inside = start('inside', 5);
  const waiting = start('waiting', 10, controller.signal);
  const behind = start('behind', 5);
  await end('none');
  expect(begun).toEqual(['inside']);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(begun).toEqual(['inside', 'behind']);
  await expect(start('late', 1, controller.signal)).rejects.toThrow('enough');
  await end('inside');
  await end('behind');
  await Promise.all([inside, behind]);
});
