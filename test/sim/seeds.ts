/**
 * Seeds that the tests play every time, all options drawn from them. A seed that ever failed is added with a word on what it
 * showed and is never taken out.
 */
export const seeds: readonly { readonly seed: string; readonly why: string }[] = [
  { seed: "1", why: "the first" },
  { seed: "2", why: "the second" },
  { seed: "3", why: "the third" },
];
