import type { ReactElement } from "react";

/** Line drawings of one hand: 24 by 24, one stroke width, round ends. */
const paths = {
  microphone: "M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7",
  "microphone-off":
    "M9 9.5v2a3 3 0 0 0 4.6 2.5M15 11V6.5a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10.2 5.3M18.5 11.5a6.6 6.6 0 0 1-.6 2.7M12 18v3M8.5 21h7M4 3.5l16 17",
  hand: "M8 12V5.8a1.4 1.4 0 0 1 2.8 0V11M10.8 10.5V4.4a1.4 1.4 0 0 1 2.8 0v6.1M13.6 10.8V5.6a1.4 1.4 0 0 1 2.8 0v6.2M16.4 11.5V8.4a1.4 1.4 0 0 1 2.8 0v5.9c0 3.9-2.7 6.7-6.5 6.7-2.9 0-4.6-1.2-6-3.6l-2.9-5a1.5 1.5 0 0 1 2.5-1.6L8 13.5",
  steps: "M14 4h5.5v16H14M10.5 8.5 7 12l3.5 3.5M7 12h8",
  leave: "M13.5 4H6.5A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20h7M17 8.5l3.5 3.5-3.5 3.5M20 12H10",
  share:
    "M12 14.5v-11M8.5 7 12 3.5 15.5 7M6.5 10.5H6A1.5 1.5 0 0 0 4.5 12v7A1.5 1.5 0 0 0 6 20.5h12a1.5 1.5 0 0 0 1.5-1.5v-7a1.5 1.5 0 0 0-1.5-1.5h-.5",
  settings: "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h8M16 17h4M15 5v4M9 10v4M14 15v4",
  words:
    "M5.5 5h13A1.5 1.5 0 0 1 20 6.5v8a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 4v-4h-1A1.5 1.5 0 0 1 4 14.5v-8A1.5 1.5 0 0 1 5.5 5ZM8 9.3h8M8 12.2h5",
  volume: "M4.5 9.5v5h3.2L12 18.5v-13L7.7 9.5H4.5ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
  "volume-off": "M4.5 9.5v5h3.2L12 18.5v-13L7.7 9.5H4.5ZM16 9.5l5 5M21 9.5l-5 5",
  mask: "M4 6.5c2.6-1 5.3-1 8 .3 2.7-1.3 5.4-1.3 8-.3v5.2c0 4.1-3 7.3-8 8.8-5-1.5-8-4.7-8-8.8V6.5ZM7.2 11.2c1-.8 2.3-.8 3.3 0M13.5 11.2c1-.8 2.3-.8 3.3 0M9.5 15.6c1.6 1 3.4 1 5 0",
  ear: "M7 10.2a5 5 0 1 1 10 0c0 3.2-2.9 4-3.4 6.6-.4 2.2-1.4 3.7-3.2 3.7A3 3 0 0 1 7.5 18M9.8 10.2a2.2 2.2 0 1 1 4.4 0c0 1.4-1.7 1.7-1.7 3.2",
  "ear-off":
    "M7 10.2c0-.8.2-1.5.5-2.2M10.4 5.5a5 5 0 0 1 6.6 4.7c0 1.5-.6 2.5-1.4 3.4M13.6 17c-.4 2-1.4 3.5-3.2 3.5A3 3 0 0 1 7.5 18M4 3.5l16 17",
  record: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  stop: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM9.5 9.5h5v5h-5v-5Z",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  copy: "M9 8.5h9.5A1.5 1.5 0 0 1 20 10v9a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 9 19V8.5ZM15.5 8.5V5A1.5 1.5 0 0 0 14 3.5H5.5A1.5 1.5 0 0 0 4 5v9.5A1.5 1.5 0 0 0 5.5 16H9",
  file: "M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5l-5-5ZM13.5 3.5v5h5",
  tree: "M12 6.5v4M12 10.5c0 3-5.5 2.5-5.5 6M12 10.5c0 3 5.5 2.5 5.5 6M12 10.5v6M12 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM6.5 20a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM12 20a1.7 1.7 0 1 0 0-3.4A1.7 1.7 0 0 0 12 20ZM17.5 20a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z",
  warning: "M12 4.5 3.5 19.5h17L12 4.5ZM12 10v4.5M12 17v.2",
  chevron: "M7 10l5 5 5-5",
  send: "M12 19.5v-15M6 10.5l6-6 6 6",
  eye: "M3 12s3.3-6 9-6 9 6 9 6-3.3 6-9 6-9-6-9-6ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  keys: "M4.5 6.5h15A1.5 1.5 0 0 1 21 8v8a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16V8a1.5 1.5 0 0 1 1.5-1.5ZM7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8 14h8",
} as const;

/** Names a drawing. */
export type IconName = keyof typeof paths;

/** Drawings that point along the line, and turn round where it runs from right to left. */
const pointing: readonly IconName[] = ["leave", "steps"];

/** A drawing beside words that say the same: screen readers pass it over. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" data-pointing={pointing.includes(name) || undefined} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
