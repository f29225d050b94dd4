import { expect, it } from 'vitest';
import { lazyEncoders } from './encoders.ts';
import { pixelEncoder } from './testing/pixel-encoder.ts';
import { openTestApp } from './testing/test-app.ts';

it('are opened once, when a picture comes, and not for their description', async () => {
  const opened: string[] = [];
  const encoders = lazyEncoders({
    default: 'a',
    names: ['a', 'b'],
    open: async (name) => {
      opened.push(name);
      return pixelEncoder(name);
    },
    describe: async (name) => pixelEncoder(name),
  });
  const { send } = openTestApp({ encoders });
  expect(await (await send('GET', '/v1/models')).json()).toMatchObject({
    default: 'a',
    models: [{ name: 'a', dimension: 192, hash: pixelEncoder('a').hash }, { name: 'b' }],
  });
  expect((await send('PUT', '/v1/collections/photos', { model: 'b' })).status).toBe(201);
  expect(opened).toEqual([]);
  await Promise.all([encoders.get('b'), encoders.get('b')]);
  await send('GET', '/v1/models');
  expect(opened).toEqual(['b']);
  await expect(encoders.get('c')).rejects.toMatchObject({ code: 'unknown-model' });
  await expect(encoders.describe('c')).rejects.toMatchObject({ code: 'unknown-model' });
});

it('that did not open are tried again', async () => {
  let attempts = 0;
  const encoders = lazyEncoders({
    default: 'a',
    names: ['a'],
    open: async (name) => {
      if (++attempts === 1) throw new Error('no memory');
      return pixelEncoder(name);
    },
  });
  await expect(encoders.get('a')).rejects.toThrow('no memory');
  expect((await encoders.get('a')).model.name).toBe('a');
  await encoders.close();
});
