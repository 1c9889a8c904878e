import type { ReactElement } from "react";
import { Sheet } from "../parts/controls.tsx";
import { useTexts, type TextKey } from "../language.ts";

interface KeysSheetProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const keys: readonly (readonly [key: string, does: TextKey])[] = [
  ["keys.space", "keys.hold"],
  ["M", "keys.mute"],
  ["D", "keys.deafen"],
  ["H", "keys.hand"],
  ["T", "keys.type"],
  ["?", "keys.list"],
  ["Ctrl ⇧ ⌫", "keys.panic"],
];

/** Which keys do what. */
export function KeysSheet({ isOpen, onClose }: KeysSheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <Sheet title={text("keys.title")} isOpen={isOpen} onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, does]) => (
          <div key={does}>
            <dt>
              <kbd>{key === "keys.space" ? text(key) : key}</kbd>
            </dt>
            <dd>{text(does)}</dd>
          </div>
        ))}
      </dl>
    </Sheet>
  );
}
