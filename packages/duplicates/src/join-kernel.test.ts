import { expect, test } from 'vitest';
import { compileKernel } from '../kernel/compile.ts';
import { joinKernel } from './join-kernel.ts';

test('the kernel is the one that its source compiles to', async () => {
  expect(Buffer.from(await compileKernel()).toString('base64')).toBe(joinKernel);
});
