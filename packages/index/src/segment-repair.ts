import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type { BlockLayout } from './block-layout.ts';
import { SegmentKeys } from './keys-file.ts';
import type { Meter } from './meter.ts';
import { fetchObject } from './object-fetch.ts';
import { textAt } from './row-columns.ts';
import type { SegmentDescriptor } from './segment-descriptor.ts';

/** Makes the keys of a segment anew from its rows, whose SHA-256 is checked first: nothing else vouches for them. */
export async function rebuildKeys(
  store: ObjectStore,
  key: string,
  descriptor: SegmentDescriptor,
  meter: Meter,
): Promise<SegmentKeys> {
  const bytes = await fetchObject(store, key, descriptor.files.rows, meter);
  const { layoutOf, RowBlockEncoder } = await import('./row-blocks.ts');
  const { header, footer } = new RowBlockEncoder(descriptor.dimension);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: BlockLayout[] = [];
  const versions = new Float64Array(descriptor.rows);
  const ids: Uint8Array[] = [];
  let at = header.length;
  while (at < bytes.length - footer.length) {
    const { layout, length } = layoutOf(bytes.subarray(at), at);
    const { id, version } = layout.regions;
    const idRegion = bytes.subarray(id.start, id.start + id.length);
    for (let row = 0; row < layout.rows; row++) {
      versions[ids.length] = Number(view.getBigInt64(version.start + row * 8, true));
      ids.push(textAt(idRegion, layout.rows, row));
    }
    blocks.push(layout);
    at += length;
  }
  if (ids.length !== descriptor.rows)
    throw new LookalikeError('damaged-object', `${key}: ${ids.length} rows, expected ${descriptor.rows}`, {
      details: { key },
    });
  const offsets = new Uint32Array(ids.length + 1);
  for (const [i, id] of ids.entries()) offsets[i + 1] = (offsets[i] as number) + id.length;
  return new SegmentKeys({ versions, offsets, ids: Buffer.concat(ids), blocks });
}
