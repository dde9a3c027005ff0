/** The palettes that colours are chosen from. */
import type { Messages } from "../words/en";

interface Swatch {
  /** The name's key among the messages. */
  readonly name: keyof Messages["colors"];
  readonly color: number;
}

export interface Palette {
  readonly name: keyof Messages["palettes"];
  /** Black, five colours that go together, white. */
  readonly swatches: readonly Swatch[];
}

type Five = readonly [Swatch, Swatch, Swatch, Swatch, Swatch];

function palette(name: Palette["name"], five: Five): Palette {
  const [black, white] = [
    { name: "black", color: 0x000000 },
    { name: "white", color: 0xffffff },
  ] as const;
  return { name, swatches: [black, ...five, white] };
}

export const PALETTES: readonly Palette[] = [
  palette("reef", [
    { name: "coral", color: 0xf2545b },
    { name: "amber", color: 0xf7b32b },
    { name: "sea", color: 0x17a689 },
    { name: "blue", color: 0x3a6ee8 },
    { name: "violet", color: 0x8f4fd1 },
  ]),
  palette("sherbet", [
    { name: "rose", color: 0xf78fb3 },
    { name: "peach", color: 0xfbb88a },
    { name: "sand", color: 0xf6e27f },
    { name: "mint", color: 0x8edcb4 },
    { name: "sky", color: 0x84c5f4 },
  ]),
  palette("forest", [
    { name: "rust", color: 0xb5492c },
    { name: "ochre", color: 0xd9a441 },
    { name: "moss", color: 0x7f9b3a },
    { name: "pine", color: 0x1f5b45 },
    { name: "umber", color: 0x6b4a33 },
  ]),
  palette("carnival", [
    { name: "magenta", color: 0xe6007e },
    { name: "tangerine", color: 0xff6b1a },
    { name: "lemon", color: 0xffdf2b },
    { name: "turquoise", color: 0x00b5c8 },
    { name: "indigo", color: 0x4b2ad6 },
  ]),
  palette("dusk", [
    { name: "midnight", color: 0x1d2350 },
    { name: "plum", color: 0x6d2f72 },
    { name: "ember", color: 0xd3543f },
    { name: "gold", color: 0xeeb35c },
    { name: "mist", color: 0xb9c6d8 },
  ]),
];
