import { findKeptPicture, type KeptPicture } from './kept-pictures.ts';
import type { PictureReference } from './route.ts';

/** What a reference of the URL stands for. */
export type ReferredPicture = { kind: 'item'; id: string } | { kind: 'kept'; picture: KeptPicture };

export const referenceKey = (reference: PictureReference): string => JSON.stringify(reference);

/** Fails in words for a link from another browser, whose dropped pictures are not here. */
export async function resolveReference(reference: PictureReference): Promise<ReferredPicture> {
  if ('item' in reference) return { kind: 'item', id: reference.item };
  const picture = await findKeptPicture(reference.kept);
  if (!picture) {
    throw new Error(
      'This link is to a picture that was dropped in another browser, or long ago. Drop it again.',
    );
  }
  return { kind: 'kept', picture };
}
