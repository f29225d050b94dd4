import { readFileSync } from 'node:fs';
import { lazyEncoders } from '@lookalike/api';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import { pixelEncoder } from '../../api/src/testing/pixel-encoder.ts';
import { BucketInMemory } from './bucket-in-memory.ts';
import { ingestObjectBatch } from './object-batch.ts';

const cat = readFileSync(new URL('../../../test/pictures/cat.jpg', import.meta.url));

test('a batch of a whole bucket becomes rows named by what follows the prefix; running it again changes nothing', async () => {
  const bucket = new BucketInMemory();
  bucket.put('2024/cat.jpg', cat);
  bucket.put('2024/cat.jpg.json', '{"year":2024}');
  bucket.put('2024/notes.txt', 'not a picture');
  const store = new MemoryStore();
  const engine = openEngine({ store, commitWindow: 0 });
  const encoders = lazyEncoders({
    default: 'pixels',
    names: ['pixels'],
    open: async (name) => pixelEncoder(name),
  });
  const batch = {
    BatchInput: { bucket: 'drop', prefix: '2024/', collection: 'archive' },
    Items: ['2024/', ...bucket.objects.keys()].map((Key) => ({ Key, Size: 1, StorageClass: 'STANDARD' })),
  };
  const run = () =>
    ingestObjectBatch(batch, { engine, objects: store, encoders }, bucket, new AbortController().signal);
  expect(await run()).toMatchObject({
    stored: 1,
    refused: [{ key: '2024/notes.txt', code: 'picture-unsupported-format' }],
  });
  const { items } = await (await engine.collection('archive')).scan();
  expect(items).toMatchObject([{ id: 'cat.jpg', metadata: { year: 2024 } }]);
  expect(await run()).toMatchObject({ stored: 0, current: 1 });
  bucket.put('2024/cat.jpg', readFileSync(new URL('../../../test/pictures/coffee.jpg', import.meta.url)));
  expect(await run()).toMatchObject({ stored: 0, replaced: 1, current: 0 });
});
