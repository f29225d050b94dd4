import type { Random } from './random.ts';

/**
 * Letters of 5 x 7 dots, a row a number, the leftmost dot its highest bit. Drawn here and not by a font, so that every
 * machine makes the same pictures.
 */
const LETTERS: Record<string, readonly number[]> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 15],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
};
const WORDS = [
  'WHEN',
  'YOU',
  'SEE',
  'THIS',
  'MONDAY',
  'AGAIN',
  'NEVER',
  'GIVE',
  'UP',
  'BEST',
  'DAY',
  'EVER',
  'SALE',
];

/** `length` characters of words, drawn as dots of `dot` pixels from the left top corner `x`, `y`. */
function letters(text: string, x: number, y: number, dot: number, colour: string): string {
  const cells: string[] = [];
  [...text].forEach((letter, index) => {
    LETTERS[letter]?.forEach((row, down) => {
      for (let across = 0; across < 5; across++) {
        if (!(row & (16 >> across))) continue;
        const [left, top] = [x + (index * 6 + across) * dot, y + down * dot];
        cells.push(
          `M${left.toFixed(2)} ${top.toFixed(2)}h${dot.toFixed(2)}v${dot.toFixed(2)}h-${dot.toFixed(2)}z`,
        );
      }
    });
  });
  return `<path d="${cells.join('')}" fill="${colour}"/>`;
}

const svg = (width: number, height: number, content: string) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`);

function sentence(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.pick(WORDS)).join(' ');
}

/** Lines of text across a picture, each as wide as nine tenths of it, letters with a dark edge. */
export function textOverlay(
  width: number,
  height: number,
  random: Random,
  lines: 'one' | 'top and bottom',
): Buffer {
  const line = (y: number) => {
    const text = sentence(random, lines === 'one' ? 4 : 3);
    const dot = (0.9 * width) / (text.length * 6);
    const edge = Math.max(1, dot / 3);
    const [x, top] = [0.05 * width, Math.min(y, height - 8 * dot)];
    return (
      letters(text, x + edge, top + edge, dot, '#000000') +
      letters(text, x, top, dot, random.pick(['#ffffff', '#ffe600']))
    );
  };
  const places = lines === 'one' ? [random.between(0.1, 0.8)] : [0.03, 0.15, 0.72, 0.86];
  return svg(width, height, places.map((place) => line(place * height)).join(''));
}

/** Smileys and hearts; each is `share` of the shorter side wide, anywhere on the picture. */
export function emojiOverlay(
  width: number,
  height: number,
  random: Random,
  count: number,
  share: number,
): Buffer {
  const size = share * Math.min(width, height);
  const smiley = `<circle cx="50" cy="50" r="48" fill="#ffd93b" stroke="#e0a800" stroke-width="3"/>
    <circle cx="33" cy="40" r="7" fill="#4a3000"/><circle cx="67" cy="40" r="7" fill="#4a3000"/>
    <path d="M24 60Q50 92 76 60z" fill="#4a3000"/>`;
  const heart = '<path d="M50 90C-20 40 20 0 50 28C80 0 120 40 50 90z" fill="#e0245e"/>';
  const shapes = Array.from({ length: count }, () => {
    const [x, y] = [random.between(0, width - size), random.between(0, height - size)];
    return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${(size / 100).toFixed(4)})">${random.pick([smiley, heart])}</g>`;
  });
  return svg(width, height, shapes.join(''));
}

export interface ScreenLayout {
  width: number;
  height: number;
  /** Where the picture lies. */
  picture: { left: number; top: number; width: number; height: number };
  screen: Buffer;
}

/** A post in a phone's application: status bar, name with a round portrait, the picture, buttons, lines of comment. */
export function screenshotLayout(
  width: number,
  height: number,
  random: Random,
  theme: 'light' | 'dark',
): ScreenLayout {
  const screenWidth = 480;
  const screenHeight = 960;
  const shown = { width: screenWidth, height: Math.min(620, Math.round((screenWidth * height) / width)) };
  const top = Math.round(random.between(110, Math.max(111, screenHeight - shown.height - 130)));
  const [paper, ink, faint] =
    theme === 'light' ? ['#ffffff', '#111111', '#d8d8d8'] : ['#101014', '#f2f2f2', '#3a3a40'];
  const bar = (x: number, y: number, w: number, h: number, colour: string) =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="4" fill="${colour}"/>`;
  const below = top + shown.height;
  const content = [
    bar(0, 0, screenWidth, screenHeight, paper),
    letters('LTE', 400, 12, 2.4, ink),
    bar(446, 12, 24, 14, ink),
    bar(12, 12, 50, 14, ink),
    `<circle cx="38" cy="${top - 36}" r="22" fill="${random.pick(['#7a9cc6', '#c67a9c', '#9cc67a'])}"/>`,
    letters(random.pick(WORDS), 72, top - 50, 2.6, ink),
    bar(72, top - 24, 90, 8, faint),
    ...[0, 1, 2].map((i) => bar(14 + i * 44, below + 14, 30, 28, i === 0 ? '#e0245e' : faint)),
    letters(sentence(random, 3), 14, below + 60, 2.4, ink),
    bar(14, below + 92, 420, 10, faint),
    bar(14, below + 112, 300, 10, faint),
  ].join('');
  return {
    width: screenWidth,
    height: screenHeight,
    picture: { left: 0, top, ...shown },
    screen: svg(screenWidth, screenHeight, content),
  };
}
