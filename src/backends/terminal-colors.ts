/** Colours for terminals that have fewer than 16 million: SGR parameters (ECMA-48 8.3.117; 256 colours as xterm numbers them). */

/** SGR parameters that set the foreground or background to 0xRRGGBB. */
export type ColorCode = (color: number, background: boolean) => string;

const channels = (color: number): [number, number, number] => [color >> 16 & 255, color >> 8 & 255, color & 255];

const distance = (a: number, b: number): number => {
  const [r, g, blue] = channels(a), [r2, g2, blue2] = channels(b);
  return (r - r2) ** 2 + (g - g2) ** 2 + (blue - blue2) ** 2;
};

/** Index of the colour that comes nearest. */
function nearest(palette: readonly number[], color: number): number {
  let best = 0;
  palette.forEach((one, index) => {
    if (distance(one, color) < distance(palette[best]!, color)) best = index;
  });
  return best;
}

/** A PC's 16 text colours, in the terminal's order (red is 1, blue is 4). */
const SIXTEEN = [
  0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
  0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
];
/** Levels of the 6 × 6 × 6 cube, which begins at colour 16; 24 greys begin at 232. */
const LEVELS = [0, 95, 135, 175, 215, 255];
const CUBE = Array.from({ length: 216 }, (_, n) => LEVELS[Math.floor(n / 36)]! << 16 | LEVELS[Math.floor(n / 6) % 6]! << 8 | LEVELS[n % 6]!);
const GREYS = Array.from({ length: 24 }, (_, n) => (8 + 10 * n) * 0x010101);
const CUBE_AND_GREYS = [...CUBE, ...GREYS];

const CUBE_STEPS = LEVELS.length;

/** Index in CUBE_AND_GREYS of the colour that comes nearest: the nearest of the cube, or the nearest grey. */
function nearest256(color: number): number {
  const steps = channels(color).map((value) => (value < 48 ? 0 : value < 115 ? 1 : Math.floor((value - 35) / 40)));
  const cube = (steps[0]! * CUBE_STEPS + steps[1]!) * CUBE_STEPS + steps[2]!;
  const [red, green, blue] = channels(color);
  const grey = CUBE.length + Math.max(0, Math.min(GREYS.length - 1, Math.round(((red + green + blue) / 3 - 8) / 10)));
  return distance(CUBE_AND_GREYS[grey]!, color) < distance(CUBE_AND_GREYS[cube]!, color) ? grey : cube;
}

/** The colour that a terminal with 2^depth of them shows for `color`; without colours: 0, or 0xffffff for what is bright. */
export function paletteColor(depth: number, color: number): number {
  if (depth >= 24) return color;
  if (depth >= 8) return CUBE_AND_GREYS[nearest256(color)]!;
  if (depth >= 4) return SIXTEEN[nearest(SIXTEEN, color)]!;
  const [red, green, blue] = channels(color);
  return red * 3 + green * 6 + blue > 1275 ? 0xffffff : 0;
}

/** The way to write colours for a terminal with 2^depth of them (24, 8, 4; below: none). */
export function colorCode(depth: number): ColorCode {
  if (depth >= 24) return (color, background) => `${background ? 48 : 38};2;${channels(color).join(';')}`;
  if (depth >= 8) return (color, background) => `${background ? 48 : 38};5;${16 + nearest256(color)}`;
  if (depth >= 4) {
    return (color, background) => {
      const index = nearest(SIXTEEN, color);
      return String((index < 8 ? 30 + index : 82 + index) + (background ? 10 : 0));
    };
  }
  // Reverse video for what is on anything but black.
  return (color, background) => (background && color !== 0 ? '7' : '22');
}
