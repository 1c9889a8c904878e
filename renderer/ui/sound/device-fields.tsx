import type { ReactElement } from "react";
import type { SoundDevice, Voice } from "../../model/voice/voice.ts";
import { Chooser, type Choice } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

/** Stands for whatever the system's default is. */
const systemDefault = "default";

/** Chooses microphone and loudspeaker. Where a browser offers no choice of loudspeaker, it is left out. */
export function DeviceFields({ voice }: { readonly voice: Voice }): ReactElement {
  const { text } = useTexts();
  const microphones = useValue(voice.microphones);
  const loudspeakers = useValue(voice.loudspeakers);
  const microphone = useValue(voice.microphoneDevice) ?? systemDefault;
  const loudspeaker = useValue(voice.loudspeakerDevice) ?? systemDefault;
  const choicesOf = (devices: readonly SoundDevice[]): readonly Choice[] => [
    { id: systemDefault, label: text("devices.default") },
    ...devices
      .filter(({ id }) => id !== systemDefault && id !== "")
      .map(({ id, label }, index) => ({
        id,
        label: label === "" ? text("devices.nameless", { number: index + 1 }) : label,
      })),
  ];
  const idOf = (chosen: string): string | undefined => (chosen === systemDefault ? undefined : chosen);
  return (
    <div className="field-pair">
      <Chooser
        label={text("devices.microphone")}
        choices={choicesOf(microphones)}
        chosen={microphone}
        onChoose={(id) => void voice.chooseMicrophone(idOf(id)).catch(() => undefined)}
      />
      {loudspeakers.length > 0 && (
        <Chooser
          label={text("devices.loudspeaker")}
          choices={choicesOf(loudspeakers)}
          chosen={loudspeaker}
          onChoose={(id) => void voice.chooseLoudspeaker(idOf(id)).catch(() => undefined)}
        />
      )}
    </div>
  );
}
