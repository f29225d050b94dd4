import sharp from 'sharp';

/**
 * A page of 600 x 800 as a PNG: lines of words as bars, so that no font is needed. Another `seed` gives other words and paragraphs in the
 * same layout, as letters of one sender have.
 */
export function madePage(seed: number): Promise<Buffer> {
  let state = seed + 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  random();
  const words: string[] = [];
  for (let y = 60; y < 740; y += random() < 0.12 ? 44 : 20)
    for (let x = 60; x < 540; ) {
      const width = Math.min(540 - x, 12 + 60 * random());
      words.push(`<rect x="${x}" y="${y}" width="${width}" height="9"/>`);
      x += width + 8;
    }
  return sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="800"><rect width="600" height="800" fill="#fdfcf8"/><g fill="#222">${words.join('')}</g></svg>`,
    ),
  )
    .png()
    .toBuffer();
}
