/**
 * Seeds that the tests play every time, all options drawn from them. A seed that ever failed is added with a word on what it
 * showed and is never taken out.
 */
export const seeds: readonly { readonly seed: string; readonly why: string }[] = [
  { seed: "2", why: "a lost answer made an attach come twice, and the parent hung up" },
  { seed: "3", why: "a partition and a third of the relays dead: free slots must be found" },
  { seed: "4", why: "everybody refused was sent to the same three relays; a data channel for nobody woke without end" },
  { seed: "5", why: "relays and host dead, a partition, heavy churn" },
  { seed: "6", why: "who had been in for five packets was called deaf for one that the network lost" },
];
