import type { ReactElement } from "react";

/** The house's mark: a bowl whose steam is a voice. */
export function Mark(): ReactElement {
  return (
    <svg className="mark" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <g className="mark-steam">
        <path d="M14 20v-4" />
        <path d="M19 20V10" />
        <path d="M24 20V5" />
        <path d="M29 20V11" />
        <path d="M34 20v-4" />
      </g>
      <path className="mark-bowl" d="M6 25h36c0 9-6 15.5-13 17v2H19v-2C12 40.5 6 34 6 25Z" />
    </svg>
  );
}

/** The first screen's picture: a lamp's light, a bowl on the table, and steam that is a voice. It says nothing words do not. */
export function LampPicture(): ReactElement {
  const bars = [10, 22, 40, 62, 88, 64, 96, 70, 46, 60, 34, 18, 8];
  return (
    <svg className="lamp-picture" viewBox="0 0 420 330" aria-hidden="true" focusable="false">
      <defs>
        <radialGradient id="lamp-light" cx="0.5" cy="0.55" r="0.5">
          <stop offset="0" className="lamp-stop-near" />
          <stop offset="1" className="lamp-stop-far" />
        </radialGradient>
        <linearGradient id="lamp-glaze" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" className="glaze-stop-light" />
          <stop offset="1" className="glaze-stop-dark" />
        </linearGradient>
      </defs>
      <rect width="420" height="330" fill="url(#lamp-light)" />
      <g className="lamp-steam">
        {bars.map((height, index) => (
          <line key={index} x1={138 + index * 12} x2={138 + index * 12} y1={178 - height} y2={178} />
        ))}
      </g>
      <ellipse className="lamp-table" cx="210" cy="292" rx="190" ry="20" />
      <path fill="url(#lamp-glaze)" d="M106 196h208c0 48-30 80-66 88v8h-76v-8c-36-8-66-40-66-88Z" />
      <ellipse className="lamp-rim" cx="210" cy="196" rx="104" ry="15" />
      <ellipse className="lamp-tea" cx="210" cy="198" rx="92" ry="10" />
      <path className="lamp-brush" d="M146 228q16-12 32 0t32 0 32 0 32 0M168 246q14-10 28 0t28 0 28 0" />
    </svg>
  );
}
