import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lazyEncoders } from '@lookalike/api';
import { openEngine } from '@lookalike/index';
import { MemoryStore, openFolderStore } from '@lookalike/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pixelEncoder } from '../../api/src/testing/pixel-encoder.ts';
import { BucketInMemory } from './bucket-in-memory.ts';
import type { PictureSource } from './picture-source.ts';
import { type DeadLetter, ingestQueueBatch, type QueueMessage } from './queue-batch.ts';

function photograph(name: string): Uint8Array {
  return readFileSync(new URL(`../../../test/pictures/${name}`, import.meta.url));
}

const cat = photograph('cat.jpg');
const coffee = photograph('coffee.jpg');

/** As S3 writes it. */
function message(key: string, eventName = 'ObjectCreated:Put', messageId = `m-${key}`): QueueMessage {
  const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'eu-central-1',
    eventName,
    s3: {
      bucket: { name: 'drop', arn: 'arn:aws:s3:::drop' },
      object: { key: encoded, size: 1, sequencer: '00' },
    },
  };
  return { messageId, body: JSON.stringify({ Records: [record] }) };
}

let bucket: BucketInMemory;
let letters: DeadLetter[];
let sentNothing: boolean;
let store: MemoryStore;
let encoded: number;
let services: Parameters<typeof ingestQueueBatch>[1]['services'];
let engine: ReturnType<typeof openEngine>;

beforeEach(() => {
  bucket = new BucketInMemory();
  letters = [];
  sentNothing = false;
  store = new MemoryStore();
  encoded = 0;
  engine = openEngine({ store, commitWindow: 0 });
  const open = async (name: string) => {
    const encoder = pixelEncoder(name);
    const encode: typeof encoder.encode = (pictures) => {
      encoded += pictures.length;
      return encoder.encode(pictures);
    };
    return { ...encoder, encode };
  };
  services = {
    engine,
    objects: store,
    encoders: lazyEncoders({ default: 'pixels', names: ['pixels'], open }),
  };
});

// A queue makes an error of it.
afterEach(() => expect(sentNothing).toBe(false));

/** As SQS delivers it once more. */
function again(one: QueueMessage): QueueMessage {
  return { ...one, attributes: { ApproximateReceiveCount: '2' } };
}

function ingest(...messages: QueueMessage[]) {
  return ingestFrom(bucket, messages);
}

function ingestFrom(source: PictureSource, messages: QueueMessage[]) {
  return ingestQueueBatch(messages, {
    services,
    sourceOf: () => source,
    prefix: 'ingest/',
    sendDeadLetters: async (sent) => {
      if (sent.length === 0) sentNothing = true;
      letters.push(...sent);
    },
    onFailure: () => {},
    signal: new AbortController().signal,
  });
}

async function rows() {
  const { items } = await (await engine.collection('photos')).scan();
  return items;
}

describe('pictures dropped in a bucket', () => {
  test('become rows, in a collection made for them', async () => {
    bucket.put('ingest/photos/a b/ä+1.jpg', cat, { album: 'pets' });
    bucket.put('ingest/photos/coffee.jpg', coffee);
    const report = await ingest(message('ingest/photos/a b/ä+1.jpg'), message('ingest/photos/coffee.jpg'));
    expect(report).toEqual({ stored: 2, replaced: 0, current: 0, deleted: 0, refused: 0, failed: [] });
    const [first, second] = await rows();
    expect(first?.id).toBe('a b/ä+1.jpg');
    expect(first?.metadata).toMatchObject({
      album: 'pets',
      picture: { format: 'jpeg' },
      source: { bucket: 'drop', key: 'ingest/photos/a b/ä+1.jpg' },
    });
    expect(second?.id).toBe('coffee.jpg');
    const { info } = await engine.collection('photos');
    expect(info.encoder?.name).toBe('pixels');
  });

  test('are encoded once, however often S3 tells of them', async () => {
    bucket.put('ingest/photos/cat.jpg', cat);
    await ingest(
      message('ingest/photos/cat.jpg'),
      message('ingest/photos/cat.jpg', 'ObjectCreated:Copy', 'm2'),
    );
    const before = await rows();
    const again = await ingest(message('ingest/photos/cat.jpg'));
    expect(again.current).toBe(1);
    expect(await rows()).toEqual(before);
    expect(encoded).toBe(1);
    expect(bucket.reads).toBe(1);
  });

  test('that are uploaded again with the same bytes keep their vector, and take the new metadata', async () => {
    bucket.put('ingest/photos/cat.jpg', cat, { album: 'old' });
    await ingest(message('ingest/photos/cat.jpg'));
    bucket.put('ingest/photos/cat.jpg', cat, { album: 'new' });
    expect(await ingest(message('ingest/photos/cat.jpg'))).toMatchObject({ stored: 0, replaced: 1 });
    expect((await rows())[0]?.metadata).toMatchObject({ album: 'new', picture: { format: 'jpeg' } });
    expect(encoded).toBe(1);
  });

  test('that are replaced get a new vector', async () => {
    bucket.put('ingest/photos/x.jpg', cat);
    await ingest(message('ingest/photos/x.jpg'));
    const collection = await engine.collection('photos');
    const [old] = await collection.get(['x.jpg'], { include: ['vector'] });
    bucket.put('ingest/photos/x.jpg', coffee);
    expect(await ingest(message('ingest/photos/x.jpg'))).toMatchObject({ stored: 0, replaced: 1 });
    const [now] = await collection.get(['x.jpg'], { include: ['vector'] });
    expect(now?.vector).not.toEqual(old?.vector);
  });

  test('that are deleted lose their row, whichever message comes last', async () => {
    bucket.put('ingest/photos/cat.jpg', cat);
    await ingest(message('ingest/photos/cat.jpg'));
    bucket.objects.clear();
    const report = await ingest(message('ingest/photos/cat.jpg', 'ObjectRemoved:DeleteMarkerCreated'));
    expect(report.deleted).toBe(1);
    expect(await rows()).toEqual([]);
    await ingest(message('ingest/photos/cat.jpg', 'ObjectCreated:Put', 'late'));
    expect(await rows()).toEqual([]);
  });

  test('that change while they are read end as what they are then', async () => {
    bucket.put('ingest/photos/x.jpg', cat);
    bucket.onRead = () => {
      bucket.onRead = () => {};
      bucket.objects.clear();
    };
    await ingest(message('ingest/photos/x.jpg'));
    expect(await rows()).toEqual([]);
  });

  test('take metadata from JSON beside them, also where it comes later', async () => {
    bucket.put('ingest/photos/cat.jpg', cat, { album: 'object', colour: 'red' });
    await ingest(message('ingest/photos/cat.jpg'));
    bucket.put('ingest/photos/cat.jpg.json', '{"album":"sidecar","year":2024}');
    await ingest(message('ingest/photos/cat.jpg.json'));
    expect((await rows())[0]?.metadata).toMatchObject({ album: 'sidecar', colour: 'red', year: 2024 });
    expect(encoded).toBe(1);
    expect((await ingest(message('ingest/photos/cat.jpg.json'))).current).toBe(1);
  });
});

describe('what cannot be ingested', () => {
  test('goes to the dead letters once, with the reason, and never holds the others up', async () => {
    bucket.put('ingest/photos/good.jpg', cat);
    bucket.put('ingest/photos/text.jpg', 'no picture at all');
    bucket.put('ingest/photos/cut.jpg', coffee.subarray(0, 2000));
    bucket.put('ingest/photos/bad-sidecar.jpg', coffee);
    bucket.put('ingest/photos/bad-sidecar.jpg.json', '[1]');
    bucket.put('ingest/nowhere.jpg', cat);
    const keys = [
      'photos/good.jpg',
      'photos/text.jpg',
      'photos/cut.jpg',
      'photos/bad-sidecar.jpg',
      'nowhere.jpg',
    ];
    const all = keys.map((key) => message(`ingest/${key}`));
    const first = await ingest(...all, { messageId: 'odd', body: '{"hello":1}' });
    expect(first).toMatchObject({ stored: 1, refused: 5, failed: [] });
    const codes = letters.map(({ code }) => code).sort();
    expect(codes).toEqual([
      'invalid-event',
      'invalid-key',
      'invalid-metadata',
      'picture-damaged',
      'picture-unsupported-format',
    ]);
    expect(await rows()).toHaveLength(1);
    await ingest(...all);
    expect(letters).toHaveLength(5);
  });

  test('is tried again when its letter is moved back to the queue and the picture is good by then', async () => {
    bucket.put('ingest/photos/a b.jpg', 'not yet');
    await ingest(message('ingest/photos/a b.jpg'));
    bucket.put('ingest/photos/a b.jpg', cat);
    const report = await ingest({ messageId: 'back', body: letters[0]?.body ?? '' });
    expect(report.stored).toBe(1);
  });

  test.each(['[1]', '"text"', '5', 'null', '{"a":'])(
    'is metadata beside a picture that is %s',
    async (text) => {
      bucket.put('ingest/photos/x.jpg', cat);
      bucket.put('ingest/photos/x.jpg.json', text);
      expect(await ingest(message('ingest/photos/x.jpg'))).toMatchObject({ stored: 0, refused: 1 });
      expect(letters).toMatchObject([{ code: 'invalid-metadata' }]);
    },
  );

  test('is told of again where it was replaced by what is no better', async () => {
    for (const content of ['no picture', 'another text', 'another text']) {
      bucket.put('ingest/photos/x.jpg', content);
      await ingest(message('ingest/photos/x.jpg'));
    }
    expect(letters).toHaveLength(2);
  });

  test('removes the row of the good picture that it replaced', async () => {
    bucket.put('ingest/photos/x.jpg', cat);
    await ingest(message('ingest/photos/x.jpg'));
    bucket.put('ingest/photos/x.jpg', 'damaged');
    await ingest(message('ingest/photos/x.jpg'));
    expect(await rows()).toEqual([]);
  });

  test('and ends the process takes no other with it on the next try', async () => {
    bucket.put('ingest/photos/cat.jpg', cat);
    bucket.put('ingest/photos/coffee.jpg', coffee);
    bucket.put('ingest/photos/deadly.jpg', cat);
    const reached = Promise.withResolvers<void>();
    const source: PictureSource = {
      bucket: bucket.bucket,
      read: (key) => {
        if (key !== 'ingest/photos/deadly.jpg') return bucket.read(key);
        reached.resolve();
        return new Promise(() => {});
      },
      version: (key) => bucket.version(key),
      readText: (key) => bucket.readText(key),
    };
    const killed = ingestFrom(source, [
      again(message('ingest/photos/coffee.jpg')),
      again(message('ingest/photos/deadly.jpg')),
      message('ingest/photos/cat.jpg'),
    ]);
    await Promise.race([reached.promise, killed]);
    expect((await rows()).map(({ id }) => id)).toEqual(['cat.jpg', 'coffee.jpg']);
  });

  test('as it changes all the time is delivered again', async () => {
    bucket.put('ingest/photos/cat.jpg', cat);
    bucket.put('ingest/photos/restless.jpg', coffee);
    let changes = 0;
    bucket.onRead = (key) => {
      if (key.endsWith('restless.jpg')) bucket.put(key, coffee, { changes: ++changes });
    };
    const report = await ingest(message('ingest/photos/cat.jpg'), message('ingest/photos/restless.jpg'));
    expect(report).toMatchObject({ failed: ['m-ingest/photos/restless.jpg'] });
    expect(letters).toEqual([]);
    expect((await rows()).map(({ id }) => id)).toContain('cat.jpg');
    bucket.onRead = () => {};
    expect(await ingest(message('ingest/photos/restless.jpg'))).toMatchObject({ failed: [] });
    expect((await rows()).map(({ metadata }) => metadata.changes)).toContain(changes);
  });

  test.each([
    ['not JSON', 'Records'],
    ['of another service', JSON.stringify({ Records: [{ eventSource: 'aws:sqs' }] })],
    [
      'without an object',
      JSON.stringify({ Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: 'drop' } } }] }),
    ],
    ['of no Unicode', message('x').body.replace('"key":"x"', '"key":"%ff"')],
  ])('is a message that is %s', async (_, body) => {
    expect(await ingest({ messageId: 'm', body })).toMatchObject({ refused: 1, failed: [] });
    expect(letters).toMatchObject([{ body, code: 'invalid-event' }]);
  });

  test('for now is delivered again, alone', async () => {
    bucket.put('ingest/photos/cat.jpg', cat);
    bucket.put('ingest/photos/coffee.jpg', coffee);
    bucket.broken.add('ingest/photos/coffee.jpg');
    const report = await ingest(message('ingest/photos/cat.jpg'), message('ingest/photos/coffee.jpg'));
    expect(report).toMatchObject({ stored: 1, failed: ['m-ingest/photos/coffee.jpg'] });
    expect(letters).toEqual([]);
    bucket.broken.clear();
    expect((await ingest(message('ingest/photos/coffee.jpg'))).stored).toBe(1);
  });

  test('is delivered again where the dead letters cannot be sent', async () => {
    bucket.put('ingest/photos/x.jpg', 'no picture');
    const options = {
      services,
      sourceOf: () => bucket,
      prefix: 'ingest/',
      onFailure: () => {},
      signal: new AbortController().signal,
    };
    const down = async () => {
      throw new Error('SQS is down');
    };
    const report = await ingestQueueBatch([message('ingest/photos/x.jpg')], {
      ...options,
      sendDeadLetters: down,
    });
    expect(report.failed).toEqual(['m-ingest/photos/x.jpg']);
    await ingest(message('ingest/photos/x.jpg'));
    expect(letters).toHaveLength(1);
  });

  test('is delivered again where it cannot be noted that its letter was sent', async () => {
    bucket.put('ingest/photos/x.jpg', 'no picture');
    const root = await mkdtemp(join(tmpdir(), 'lookalike-ingest-'));
    services.objects = await openFolderStore(root);
    // As an unplugged disk.
    await rm(root, { recursive: true });
    expect((await ingest(message('ingest/photos/x.jpg'))).failed).toEqual(['m-ingest/photos/x.jpg']);
    services.objects = store;
    expect((await ingest(message('ingest/photos/x.jpg'))).failed).toEqual([]);
    expect(letters).toHaveLength(2);
  });
});

test('the message that S3 sends when notifications are set up is nothing to do', async () => {
  const body = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'drop' });
  expect(await ingest({ messageId: 't', body })).toMatchObject({ stored: 0, refused: 0, failed: [] });
});

test('folders that a console makes are nothing to do', async () => {
  const report = await ingest(message('ingest/photos/'), message('ingest/'));
  expect(report).toMatchObject({ stored: 0, refused: 0, failed: [] });
  expect(letters).toEqual([]);
});

test('the deletion of the last pictures does not make a dropped collection again', async () => {
  bucket.put('ingest/photos/cat.jpg', cat);
  await ingest(message('ingest/photos/cat.jpg'));
  await engine.dropCollection('photos');
  bucket.objects.clear();
  const report = await ingest(message('ingest/photos/cat.jpg', 'ObjectRemoved:Delete'));
  expect(report).toMatchObject({ deleted: 1, failed: [] });
  expect((await engine.listCollections({})).collections).toEqual([]);
});

test('a batch of many or large pictures is read and committed in portions', async () => {
  const filled = (name: string, megabytes: number) => {
    const bytes = Buffer.concat([cat, Buffer.alloc(megabytes * 1024 * 1024)]);
    bucket.put(`ingest/photos/${name}.jpg`, bytes);
    return message(`ingest/photos/${name}.jpg`);
  };
  const large = Array.from({ length: 5 }, (_, n) => filled(`large-${n}`, 40));
  expect((await ingest(...large)).stored).toBe(5);
  const afterLarge = (await (await engine.collection('photos')).stats()).tailCommits;
  expect(afterLarge).toBeGreaterThan(1);
  const small = Array.from({ length: 60 }, (_, n) => filled(`small-${n}`, 0));
  expect((await ingest(...small)).stored).toBe(60);
  expect((await (await engine.collection('photos')).stats()).tailCommits).toBe(afterLarge + 3);
});
