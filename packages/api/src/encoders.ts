import type { Encoder } from '@lookalike/encoder';
import type { CollectionInfo } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';

export type DescribedEncoder = Pick<Encoder, 'model' | 'hash'>;

/** The encoders a server has, by model name. They are opened when first asked for. */
export interface Encoders {
  /** Name of the model for collections and comparisons that name none. */
  readonly default: string;
  list(): readonly string[];
  /** What is known of a model without starting it. Throws `LookalikeError('unknown-model')`. */
  describe(name: string): Promise<DescribedEncoder>;
  /** Throws `LookalikeError('unknown-model')`. */
  get(name: string): Promise<Encoder>;
}

/**
 * Encoders opened on first use by `open`, each once. A failure to open is not remembered: the next request tries again.
 */
export function lazyEncoders(options: {
  default: string;
  names: readonly string[];
  open: (name: string) => Promise<Encoder>;
  /** Default: opens it. */
  describe?: (name: string) => Promise<DescribedEncoder>;
}): Encoders & { close(): Promise<void> } {
  const opened = new Map<string, Promise<Encoder>>();
  const assertKnown = (name: string) => {
    if (options.names.includes(name)) return;
    const known = options.names.join(', ');
    throw new LookalikeError('unknown-model', `there is no model ${name}; there are ${known}`);
  };
  const get = async (name: string): Promise<Encoder> => {
    assertKnown(name);
    let encoder = opened.get(name);
    if (encoder === undefined) {
      encoder = options.open(name);
      opened.set(name, encoder);
      encoder.catch(() => opened.delete(name));
    }
    return encoder;
  };
  return {
    default: options.default,
    list: () => options.names,
    get,
    async describe(name) {
      assertKnown(name);
      return opened.has(name) || options.describe === undefined ? get(name) : options.describe(name);
    },
    async close() {
      const all = await Promise.allSettled(opened.values());
      await Promise.all(all.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

/** The encoder a collection is bound to. Throws `collection-without-encoder`, or `encoder-mismatch` where it has changed. */
export async function encoderOf(info: CollectionInfo, encoders: Encoders): Promise<Encoder> {
  if (info.encoder === undefined) {
    throw new LookalikeError(
      'collection-without-encoder',
      `the collection ${info.name} was made for vectors of ${info.dimension} dimensions; it takes no pictures`,
    );
  }
  const encoder = await encoders.get(info.encoder.name);
  assertSameEncoder(info, encoder.hash);
  return encoder;
}

/** Throws `encoder-mismatch` where vectors of the encoder `hash` mean nothing in this collection. */
export function assertSameEncoder(info: CollectionInfo, hash: string): void {
  if (info.encoder !== undefined && info.encoder.hash === hash) return;
  throw new LookalikeError(
    'encoder-mismatch',
    info.encoder === undefined
      ? `the collection ${info.name} is bound to no encoder; leave the hash of the encoder out`
      : `the collection ${info.name} holds embeddings of ${info.encoder.name} (${info.encoder.hash.slice(0, 12)}), ` +
          `these are of ${hash.slice(0, 12)}: they cannot be compared; encode the pictures again into a new collection`,
    { details: { expected: info.encoder?.hash ?? null, got: hash } },
  );
}
