import { describeModel, type Encoder, openEncoder } from '@lookalike/encoder';

/** What it takes to look embeddings up, and to make those that are not there. */
export type EmbeddingSource = Pick<Encoder, 'model' | 'hash' | 'encode' | 'close'>;

/**
 * An encoder that starts no runtime before the first picture to encode: a run over pictures all seen before ends while
 * the runtime would still be starting.
 */
export async function lazyEncoder(modelDirectory: string): Promise<EmbeddingSource> {
  const described = await describeModel(modelDirectory);
  let opened: Promise<Encoder> | undefined;
  return {
    ...described,
    async encode(pictures, options) {
      opened ??= openEncoder(modelDirectory);
      return (await opened).encode(pictures, options);
    },
    async close() {
      // One that failed to open has told whoever asked.
      await opened?.then(
        (encoder) => encoder.close(),
        () => undefined,
      );
    },
  };
}
