import { describe, expect, it } from 'vitest';
import { type IngestProgress, ingestFiles } from './ingest.ts';

const files = Array.from({ length: 20 }, (_, number) => ({ path: `${number}.jpg` }));
const options = (change: Partial<Parameters<typeof ingestFiles>[2]> = {}) => ({
  signal: new AbortController().signal,
  fatal: () => false,
  onProgress: () => {},
  ...change,
});

describe('sending pictures', () => {
  it('sends each once, notes the bad ones and goes on', async () => {
    const sent: string[] = [];
    const seen: IngestProgress[] = [];
    const end = await ingestFiles(
      files,
      async ({ path }) => {
        sent.push(path);
        await Promise.resolve();
        if (path === '3.jpg') throw new Error('not a picture');
      },
      options({ onProgress: (progress) => seen.push(progress) }),
    );
    expect(sent).toEqual(files.map((file) => file.path));
    expect(end).toEqual({
      total: 20,
      done: 20,
      stored: 19,
      errors: [{ path: '3.jpg', message: 'not a picture' }],
    });
    expect(seen.map((progress) => progress.done)).toEqual(files.map((_, number) => number + 1));
  });

  it('stops all at an error that no other file can escape', async () => {
    const sent: string[] = [];
    const sending = ingestFiles(
      files,
      async ({ path }) => {
        sent.push(path);
        if (path === '5.jpg') throw new Error('the server is gone');
      },
      options({ fatal: () => true }),
    );
    await expect(sending).rejects.toThrow('the server is gone');
    expect(sent.length).toBeLessThan(12);
  });

  it('stops when told, without calling what was under way an error', async () => {
    const controller = new AbortController();
    const end = await ingestFiles(
      files,
      async ({ path }) => {
        if (path === '4.jpg') controller.abort();
        controller.signal.throwIfAborted();
      },
      options({ signal: controller.signal }),
    );
    expect(end.errors).toEqual([]);
    expect(end.done).toBe(4);
  });
});
