import { useEffect, useRef, useState, type ReactElement } from "react";
import type { SoundDevice, Voice } from "../model/voice.ts";
import { Action, Chooser, Problem, type Choice } from "./controls.tsx";
import { useTexts } from "./language.ts";
import { useValue } from "./use-value.ts";

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

interface LevelMeterProps {
  readonly voice: Voice;
  readonly onTry: () => void;
}

/** Shows that the microphone works before anybody can hear it. The bar is moved without React: 20 times a second. */
export function LevelMeter({ voice, onTry }: LevelMeterProps): ReactElement {
  const { text, say } = useTexts();
  const fault = useValue(voice.microphoneFault);
  const [trying, setTrying] = useState(false);
  const [heard, setHeard] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      voice.microphone.onLevel((level) => {
        bar.current?.style.setProperty("--level", level.toFixed(2));
        if (level > heardLevel) setHeard(true);
      }),
    [voice],
  );
  const begin = (): void => {
    setTrying(true);
    onTry();
  };
  const works = heard && fault === undefined;
  return (
    <div className="meter-field">
      {trying && fault === undefined ? (
        <>
          <p className="field-label" role="status">
            {text(works ? "meter.works" : "meter.speak")}
          </p>
          <div className="meter" ref={bar} data-works={works || undefined} aria-hidden="true">
            <div className="meter-fill" />
          </div>
        </>
      ) : (
        <Action icon="microphone" label={text("meter.try")} onPress={begin} />
      )}
      <Problem>{fault && say(fault)}</Problem>
    </div>
  );
}

/** A voice at arm's length is louder than this, a quiet room is not. */
const heardLevel = 0.2;
